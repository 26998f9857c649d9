/**
 * What waits for its time: schedules, commands that were sent for later, timers of sagas; and what can be done about it.
 */
import type { JsonValue } from '../message/json.ts'
import type { Transaction } from '../ports/database.ts'
import { CronSlots } from '../schedule/cron.ts'
import type { ActedOn, Acting } from '../schedule/operate.ts'
import { cancelIn, fireIn, resumeIn } from '../schedule/operate.ts'
import type { ScheduleRecord } from '../schedule/record.ts'
import { loadRecord, loadRecords, scheduleId } from '../schedule/record.ts'
import type { TimersOptions, TimersPage, TimerView } from '../schedule/view.ts'
import { findTimer, listTimers } from '../schedule/view.ts'
import type { On } from './on.ts'
import { notFound, runtimeOf } from './on.ts'

/** What a timer will append; of a schedule it is written when the slot has come. */
export interface TimerMessage {
  readonly id: string
  readonly type: string
  readonly stream: string
  readonly data: JsonValue
  readonly correlationId: string
  readonly causationId: string | null
}

export interface ScheduleDetails extends Omit<ScheduleRecord, 'name'> {
  /** The slots that come, Unix milliseconds; empty if it is cancelled. */
  readonly upcoming: readonly number[]
}

export interface TimerDetails extends TimerView {
  readonly message: TimerMessage | null
  readonly schedule: ScheduleDetails | null
}

/** Schedules, and commands that were sent for later, by when they are due. @throws CONFIG_INVALID */
export function schedules(on: On, options: TimersOptions = {}): Promise<TimersPage> {
  return on.database.read((transaction) => listTimers(transaction, options))
}

const shown = 5

const upcomingOf = ({ name, cron, zone }: ScheduleRecord, due: number): readonly number[] => {
  const pattern = new CronSlots(`Schedule ${name}`, { cron, zone })
  const slots = [due]
  while (slots.length < shown) slots.push(pattern.next(slots.at(-1) ?? due))
  return slots
}

/** One of them, with the command that it will send or the pattern that it follows. @throws NOT_FOUND */
export function schedule(on: On, id: string): Promise<TimerDetails> {
  return on.database.read(async (transaction) => {
    const found = await findTimer(transaction, id)
    if (found === undefined) throw await missing(transaction, id)
    const { view, timer } = found
    if (view.kind === 'schedule') {
      const record = await loadRecord(transaction, view.name)
      if (record === undefined) return { ...view, message: null, schedule: null }
      const { name: _, ...details } = record
      const upcoming = view.due === null ? [] : upcomingOf(record, view.due)
      return { ...view, message: null, schedule: { ...details, upcoming } }
    }
    return { ...view, message: timer === undefined ? null : messageOf(timer), schedule: null }
  })
}

const messageOf = ({
  stream,
  message,
}: NonNullable<NonNullable<Awaited<ReturnType<typeof findTimer>>>['timer']>): TimerMessage => ({
  id: message.id,
  type: message.type,
  stream,
  data: JSON.parse(message.data) as JsonValue,
  correlationId: message.correlationId ?? message.id,
  causationId: message.causationId,
})

const missing = async (transaction: Transaction, id: string): Promise<Error> =>
  notFound('timer', id, {
    names: (await loadRecords(transaction)).map(({ name }) => scheduleId(name)),
    advice: 'What has fired or was cancelled does not wait any more. See: thence schedules list.',
  })

type Act = (transaction: Transaction, id: string, acting: Acting) => Promise<ActedOn | undefined>

const act = (
  on: On,
  id: string,
  how: { readonly does: Act; readonly reason?: string },
): Promise<ActedOn> =>
  on.database.transact(async (transaction) => {
    const { does, reason } = how
    const acting = { runtime: runtimeOf(on), actor: on.actor, reason }
    const acted = await does(transaction, id, acting)
    if (acted === undefined) throw await missing(transaction, id)
    return acted
  })

export interface ScheduleActOptions {
  /** Why; kept in the audit log. */
  readonly reason?: string
}

/**
 * Takes back what waits. A schedule stays cancelled, over restarts and deploys, until it is resumed.
 * @throws NOT_FOUND, STATE_INVALID (a timer of a saga)
 */
export const cancelSchedule = (
  on: On,
  id: string,
  options: ScheduleActOptions = {},
): Promise<ActedOn> => act(on, id, { does: cancelIn, ...options })

/**
 * Has a running app fire it within a second, or the next one at its start. What has failed is tried again; a schedule sends
 * one command more, beside its slots.
 * @throws NOT_FOUND
 */
export const fireSchedule = (
  on: On,
  id: string,
  options: ScheduleActOptions = {},
): Promise<ActedOn> => act(on, id, { does: fireIn, ...options })

/** Lets a cancelled schedule go on with its next slot. @throws NOT_FOUND, STATE_INVALID (not a cancelled schedule) */
export const resumeSchedule = (
  on: On,
  id: string,
  options: ScheduleActOptions = {},
): Promise<ActedOn> => act(on, id, { does: resumeIn, ...options })
