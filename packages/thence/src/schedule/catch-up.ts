/**
 * Which slots are sent now, which are skipped, and which comes next: pure. The next slot follows from the last one and
 * never from the present time, so nothing is lost by a late look and nothing is sent twice by a clock that went back.
 */
import type { CronSlots } from './cron.ts'

/**
 * What becomes of slots whose time passed while nothing ran: all of them are sent, one after the other; only the latest is
 * sent; or none.
 */
export type CatchUp = 'all' | 'latest' | 'none'

export const catchUps: readonly CatchUp[] = ['all', 'latest', 'none']

/** `all` sends so many missed slots at most, the latest ones. */
export const mostMissed = 1000
/** A slot counts as on time up to so many milliseconds after it: a restart is not an outage. */
export const onTime = 60_000

/** Slots that were not sent. */
export interface Skipped {
  /** The first and the last of them, Unix milliseconds. */
  readonly from: number
  readonly to: number
  /** How many; null if they are too many to count. */
  readonly slots: number | null
}

export interface SlotPlan {
  /** The earliest first. */
  readonly send: readonly number[]
  readonly skipped: Skipped | undefined
  readonly next: number
}

interface Missed {
  /** The slot that was due and those after it, up to now; if they are too many, only the first and the latest. */
  readonly slots: readonly [number, ...number[]]
  readonly all: boolean
}

const missed = (cron: CronSlots, slot: number, now: number): Missed => {
  const after = cron.between(slot, now, mostMissed + 1)
  if (after.length <= mostMissed) return { slots: [slot, ...after], all: true }
  // One more than can be sent: what stands before the first that is.
  return { slots: [slot, ...cron.last(mostMissed + 1, now)], all: false }
}

/** The index of the first slot that is sent. */
const choose = (slots: readonly number[], now: number, catchUp: CatchUp): number => {
  if (catchUp === 'all') return Math.max(0, slots.length - mostMissed)
  const latest = slots.length - 1
  const late = now - (slots[latest] as number)
  return catchUp === 'none' && late > onTime ? slots.length : latest
}

/** @param due.slot the slot that was planned and is due. */
export function planSlots(
  cron: CronSlots,
  due: { readonly slot: number; readonly now: number; readonly catchUp: CatchUp },
): SlotPlan {
  const { slot, now, catchUp } = due
  const { slots, all } = missed(cron, slot, now)
  const first = choose(slots, now, catchUp)
  const to = slots[first - 1]
  return {
    send: slots.slice(first),
    skipped: to === undefined ? undefined : { from: slot, to, slots: all ? first : null },
    next: cron.next(slots.at(-1) ?? slot),
  }
}
