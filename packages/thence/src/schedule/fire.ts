/**
 * Firing one timer: its row goes and its message is appended in one transaction. One that can't be fired stays, with
 * its error: it is tried again after a pause, and in the end waits for a person. Nothing is dropped.
 */
import { isStoreFailure } from '../errors.ts'
import { describe } from '../handle/describe.ts'
import { nextDelay, retryPolicy } from '../handle/retry.ts'
import type { Signals } from '../observe/signals.ts'
import type { Timer } from '../ports/timers.ts'
import type { Tools, Writer } from '../store/writer.ts'
import { markOf } from './record.ts'
import type { Schedule } from './schedule.ts'
import type { FiredSlots } from './slots.ts'
import { fireSchedule } from './slots.ts'

/** Tells after the commit what has happened. */
export type Tell = (signals: Signals) => void

export interface Firing {
  /** By the database's clock. */
  readonly now: number
  readonly tools: Tools
  /** The schedules of this app, by name. */
  readonly schedules: ReadonlyMap<string, Schedule>
}

/** What a timer's message meets is the store, inline views, and what writes a slot's command: time mends it, or nothing. */
const policy = retryPolicy('timers', { attempts: 10, base: '1s', cap: '1m' })

const longestError = 1000

const toldOf = ({ id, owner }: Timer, type: string, late: number): Tell => {
  const told = { id, owner, type, late: Math.max(0, late) }
  return (signals) => signals.emitFrequent({ name: 'timer-fired', ...told })
}

/** The schedule that a timer belongs to; undefined for the timers of sagas and of commands that were sent for later. */
export const scheduleOf = (timer: Timer): string | undefined => markOf(timer)?.schedule

/** @throws MESSAGE_ID_REUSED, and whatever an inline view or a schedule's `send` throws */
export async function fireOne(writer: Writer, timer: Timer, firing: Firing): Promise<Tell> {
  const { now, tools } = firing
  const name = scheduleOf(timer)
  const schedule = name === undefined ? undefined : firing.schedules.get(name)
  if (schedule !== undefined) {
    const fired = await fireSchedule(writer, { timer, schedule, now, tools })
    return slotsTold(timer, schedule, { now, fired })
  }
  const { id, stream, message } = timer
  await writer.transaction.timers.cancel(id)
  await writer.appendStored(stream, [{ ...message, time: now }])
  return toldOf(timer, message.type, now - timer.due)
}

const slotsTold = (
  timer: Timer,
  { name: schedule }: Schedule,
  { now, fired }: { readonly now: number; readonly fired: FiredSlots },
): Tell => {
  const { slots, type, skipped } = fired
  const told = slots.map((slot) => toldOf(timer, type, now - slot))
  return (signals) => {
    for (const tell of told) tell(signals)
    if (skipped !== undefined) signals.emit({ name: 'schedule-skipped', schedule, ...skipped })
  }
}

/** As {@link fireOne}, but a failure is kept with the timer instead of being thrown. */
export async function fireOrFail(writer: Writer, timer: Timer, firing: Firing): Promise<Tell> {
  try {
    return await writer.savepoint(() => fireOne(writer, timer, firing))
  } catch (error) {
    if (isStoreFailure(error)) throw error
    return failTimer(writer, timer, { error, tools: firing.tools })
  }
}

/** Keeps a failure with its timer, which is tried again later, or waits for a person. */
export const failTimer = async (
  { transaction }: Writer,
  { id, owner, attempts: before }: Timer,
  { error, tools }: Pick<Firing, 'tools'> & { readonly error: unknown },
): Promise<Tell> => {
  const attempts = before + 1
  const retryIn = nextDelay(policy, { attempts, error, random: tools.runtime.random() })
  const { name, message } = describe(error)
  const text = `${name}: ${message}`.slice(0, longestError).toWellFormed()
  await transaction.timers.fail(id, { error: text, retryIn: retryIn ?? null })
  const told = { id, owner, attempts, error }
  return (signals) =>
    signals.emit(
      retryIn === undefined
        ? { name: 'timer-parked', ...told }
        : { name: 'timer-failed', retryIn, ...told },
    )
}
