/**
 * What waits for its time: schedules, commands that were sent for later, timers of sagas; and what can be done about it.
 */
import { ThenceError } from '../errors.ts'
import { quoted } from '../internal/text.ts'
import type { JsonValue } from '../message/json.ts'
import type { Transaction } from '../ports/database.ts'
import type { Timer } from '../ports/timers.ts'
import { CronSlots } from '../schedule/cron.ts'
import type { ActedOn, Acting } from '../schedule/operate.ts'
import { cancelIn, fireIn, resumeIn } from '../schedule/operate.ts'
import { localTime } from '../schedule/local-time.ts'
import { loadRecord, loadRecords, scheduleId } from '../schedule/record.ts'
import type { TimersOptions, TimersPage, TimerView } from '../schedule/view.ts'
import { findTimer, listTimers, scheduleOfId } from '../schedule/view.ts'
import { laterId } from '../store/later.ts'
import type { On } from './on.ts'
import { expectReason, notFound, runtimeOf } from './on.ts'

/** What a timer will append; of a schedule it is written when the slot has come. */
export interface TimerMessage {
  readonly id: string
  readonly type: string
  readonly stream: string
  readonly data: JsonValue
  readonly correlationId: string
  readonly causationId: string | null
}

/** A slot that comes. */
export interface UpcomingSlot {
  /** Unix milliseconds. */
  readonly time: number
  /** By the clock of the schedule's zone, ISO 8601 with its offset. */
  readonly local: string
}

export interface TimerDetails extends TimerView {
  readonly message: TimerMessage | null
  /** The next slots of a schedule; empty if it is cancelled, and for anything else. */
  readonly upcoming: readonly UpcomingSlot[]
}

/** Schedules, and commands that were sent for later, by when they are due. @throws CONFIG_INVALID */
export function schedules(on: On, options: TimersOptions = {}): Promise<TimersPage> {
  return on.database.read((transaction) => listTimers(transaction, options))
}

const shown = 5

const upcomingOf = (
  { name, schedule }: TimerView,
  from: { readonly due: number; readonly now: number },
): readonly UpcomingSlot[] => {
  if (schedule === null) return []
  const { cron, zone } = schedule
  const pattern = new CronSlots(`schedule ${name}`, { cron, zone })
  const slots = [from.due]
  while (slots.length < shown) slots.push(pattern.next(Math.max(from.now, slots.at(-1) ?? 0)))
  return slots.map((time) => ({ time, local: localTime(time, zone) }))
}

/**
 * One of them, with the command that it will send or the slots that come; the first may be overdue.
 * @param id as {@link schedules} gives it, or the name of a schedule.
 * @throws NOT_FOUND; STATE_INVALID if it was fired or cancelled
 */
export function schedule(on: On, id: string): Promise<TimerDetails> {
  return on.database.read(async (transaction) => {
    const found = await findTimer(transaction, id)
    if (found === undefined) throw await missing(transaction, id)
    const { view, timer } = found
    const isSchedule = view.kind === 'schedule'
    return {
      ...view,
      message: timer === undefined || isSchedule ? null : messageOf(timer),
      upcoming:
        view.due === null || view.id !== scheduleId(view.name)
          ? []
          : upcomingOf(view, { due: view.due, now: await transaction.timers.now() }),
    }
  })
}

const messageOf = ({ stream, message }: Timer): TimerMessage => ({
  id: message.id,
  type: message.type,
  stream,
  data: JSON.parse(message.data) as JsonValue,
  correlationId: message.correlationId ?? message.id,
  causationId: message.causationId,
})

const at = (time: number): string => new Date(time).toISOString()

/** Why nothing of that id waits: it was fired, it was cancelled, or it never was. */
const missing = async (transaction: Transaction, id: string): Promise<ThenceError> => {
  const { events, audit } = transaction
  const fired = id.startsWith(laterId('')) ? id.slice(laterId('').length) : undefined
  const [message] = fired === undefined ? [] : await events.find({ id: fired })
  if (message !== undefined)
    return done(`${id} was fired at ${at(message.time)}: it is position ${message.position}.`, {
      id,
      position: message.position,
    })
  const record = await loadRecord(transaction, scheduleOfId(id) ?? id)
  const target = record === undefined ? id : scheduleId(record.name)
  const wanted = { target, action: 'schedule.cancel', backwards: true, limit: 1 } as const
  const [act] = await audit.list(wanted)
  if (act === undefined)
    return notFound(fired === undefined ? 'schedule' : 'command for later', id, {
      names: (await loadRecords(transaction)).map(({ name }) => name),
      advice: 'See: thence schedules list.',
    })
  const advice =
    record === undefined ? '' : ` Let it go on: thence schedules resume ${quoted(record.name)}`
  return done(`${id} was cancelled by ${act.actor} at ${at(act.time)}.${advice}`, { id })
}

const done = (text: string, details: Record<string, JsonValue>): ThenceError =>
  new ThenceError('STATE_INVALID', text, { details })

type Act = (transaction: Transaction, id: string, acting: Acting) => Promise<ActedOn | undefined>

const act = (
  on: On,
  id: string,
  how: { readonly does: Act; readonly options: ScheduleActOptions },
): Promise<ActedOn> =>
  on.database.transact(async (transaction) => {
    const { does, options } = how
    expectReason('the act on a schedule', options)
    const { reason } = options
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
 * @param id as {@link schedules} gives it, or the name of a schedule; so for the acts below.
 * @throws NOT_FOUND; STATE_INVALID if it was fired or cancelled before, or is a timer of a saga
 */
export const cancelSchedule = (
  on: On,
  id: string,
  options: ScheduleActOptions = {},
): Promise<ActedOn> => act(on, id, { does: cancelIn, options })

/**
 * Has a running app fire it within a second, or the next one at its start. What has failed is tried again; a schedule sends
 * one command more, beside its slots.
 * @throws NOT_FOUND; STATE_INVALID if it was fired or cancelled before
 */
export const fireSchedule = (
  on: On,
  id: string,
  options: ScheduleActOptions = {},
): Promise<ActedOn> => act(on, id, { does: fireIn, options })

/** Lets a cancelled schedule go on with its next slot. @throws NOT_FOUND, STATE_INVALID (not a cancelled schedule) */
export const resumeSchedule = (
  on: On,
  id: string,
  options: ScheduleActOptions = {},
): Promise<ActedOn> => act(on, id, { does: resumeIn, options })
