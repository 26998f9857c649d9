/**
 * Whose definition of a schedule holds. The app that was started last has its way; what it replaces is not disputed by
 * those that still run, so two versions never fight. But a definition that no running app has any longer gives way to one
 * that an app has: when a version that was started late is gone, the other one takes over by itself.
 */
import type { Timer } from '../ports/timers.ts'
import type { Writer } from '../store/writer.ts'
import type { Schedule } from './schedule.ts'
import type { ScheduleRecord } from './record.ts'
import { loadRecord, saveRecord, scheduleId, slotTimer } from './record.ts'

/** An app says so often that it has a definition, in milliseconds. */
export const confirmEvery = 30_000
/** A definition that no app said to have for so long counts as gone. */
export const goneAfter = 120_000

/**
 * `held`: the definition that holds is the app's own. `other`: it is not, and that is all right. `waiting`: it will be,
 * when the slots that are overdue were fired under the one before.
 */
export type Adopted = 'held' | 'other' | 'waiting'

const isSamePattern = (
  one: Pick<Schedule, 'cron' | 'zone'>,
  other: Pick<Schedule, 'cron' | 'zone'>,
): boolean => one.cron === other.cron && one.zone === other.zone

const isHeld = (own: Schedule, stored: ScheduleRecord, timer: Timer | undefined): boolean =>
  isSamePattern(stored, own) &&
  stored.catchUp === own.catchUp &&
  (timer !== undefined || stored.cancelled !== null)

const isOverdue = (timer: Timer | undefined, now: number): boolean =>
  timer !== undefined && (timer.due <= now || timer.next === 0)

const confirm = async (
  { transaction }: Writer,
  record: ScheduleRecord,
  now: number,
): Promise<void> => {
  if (Math.abs(now - record.confirmed) >= confirmEvery)
    await saveRecord(transaction, { ...record, confirmed: now })
}

/** What follows from a definition that is new, or new here. */
const plan = async (
  { transaction }: Writer,
  { name, cron, zone, catchUp, slots }: Schedule,
  from: {
    readonly before: ScheduleRecord | undefined
    readonly timer: Timer | undefined
    readonly now: number
  },
): Promise<void> => {
  const { before, timer, now } = from
  const { cancelled = null, last = null, skipped = null } = before ?? {}
  await saveRecord(transaction, {
    name,
    cron,
    zone,
    catchUp,
    confirmed: now,
    cancelled,
    last,
    skipped,
  })
  const keeps = timer !== undefined && before !== undefined && isSamePattern(before, { cron, zone })
  // A slot that was sent must not come again by a clock that went back.
  const after = Math.max(now, last?.slot ?? now)
  if (!keeps && cancelled === null) await transaction.timers.set(slotTimer(name, slots.next(after)))
}

/** What was missed are slots of the definition before; what becomes of them is for the new definition to say. */
const letCatchUp = async (
  { transaction }: Writer,
  before: ScheduleRecord,
  catchUp: Schedule['catchUp'],
): Promise<void> => {
  if (before.catchUp !== catchUp) await saveRecord(transaction, { ...before, catchUp })
}

export interface Adopting {
  /** Whether the app is being started: what an earlier version could not send is tried again. */
  readonly starting: boolean
  /** Whether its definition is to replace another one, because no app was started later. */
  readonly wanted: boolean
  /** By the database's clock. */
  readonly now: number
  /** Whether nobody says any more that they have what was confirmed at this time. No clock that can be set decides that. */
  readonly isGone: (confirmed: number) => boolean
}

/** Makes the app's definition hold, if it should. */
export async function adopt(
  writer: Writer,
  schedule: Schedule,
  { starting, wanted, now, isGone }: Adopting,
): Promise<Adopted> {
  const { transaction } = writer
  const before = await loadRecord(transaction, schedule.name)
  const timer = await transaction.timers.find(scheduleId(schedule.name))
  // It comes at its time, which may still be ahead if the clock was set back.
  if (starting && timer?.next === 0)
    await transaction.timers.set(slotTimer(schedule.name, timer.due))
  if (before !== undefined && isHeld(schedule, before, timer)) {
    await confirm(writer, before, now)
    return 'held'
  }
  if (!wanted && before !== undefined && !isGone(before.confirmed)) return 'other'
  if (before !== undefined && isOverdue(timer, now)) {
    await letCatchUp(writer, before, schedule.catchUp)
    return 'waiting'
  }
  await plan(writer, schedule, { before, timer, now })
  return 'held'
}
