/**
 * Timers that want a person's eye: given up, failing, overdue, or of a schedule that no running app has; each with the
 * command that mends it.
 */
import { cleanText, quoted } from '../internal/text.ts'
import type { Transaction } from '../ports/database.ts'
import type { Timer, TimerPlace } from '../ports/timers.ts'
import { scheduleOwner } from '../schedule/record.ts'
import type { TimerView } from '../schedule/view.ts'
import { scheduleViews } from '../schedule/view.ts'
import type { Attention } from './attention.ts'
import { overdueAfter } from './attention.ts'

export interface SeenTimers {
  readonly schedules: readonly TimerView[]
  /** The first of the others that were given up, and how many there are. */
  readonly parked: Timer | undefined
  readonly parkedCount: number
  /** When the first of the others is tried. */
  readonly next: number | undefined
}

/** The first in order of `next` that belongs to no schedule. */
const firstOther = async (
  { timers }: Transaction,
  from?: TimerPlace,
): Promise<Timer | undefined> => {
  const limit = 100
  let after = from
  for (;;) {
    const page = await timers.upcoming({ limit, ...(after === undefined ? {} : { after }) })
    const found = page.find(({ owner }) => owner !== scheduleOwner)
    if (found !== undefined || page.length < limit) return found
    after = page.at(-1)
  }
}

export async function seeTimers(transaction: Transaction): Promise<SeenTimers> {
  const schedules = await scheduleViews(transaction)
  const first = await firstOther(transaction)
  const ours = schedules.filter(({ state }) => state === 'parked').length
  return {
    schedules,
    parked: first?.next === 0 ? first : undefined,
    parkedCount: (await transaction.timers.failed()) - ours,
    next: (await firstOther(transaction, { next: 1, id: '' }))?.next,
  }
}

const whyLength = 100

const short = (error: string | null): string => cleanText(error ?? '', whyLength)

/** What one would type to name it. */
const typed = ({ id, name }: TimerView): string => quoted(id === `schedule:${name}` ? name : id)

interface Around {
  readonly now: number
  /** Whether any process runs. */
  readonly alive: boolean
  /** What to do if what should happen by itself does not. */
  readonly idle: string
}

const scheduleOf = (one: TimerView, { alive, idle }: Around): Attention | undefined => {
  const { id: name, state, due, late, attempts, error, schedule } = one
  const since = due ?? 0
  if (state === 'parked') {
    const what = `a slot was given up after ${attempts} attempt${attempts === 1 ? '' : 's'}: ${short(error)}`
    return { name, what, since, advice: `thence schedules fire ${typed(one)}` }
  }
  if (state === 'absent' && alive) {
    const advice = `Start the app that has it, or: thence schedules cancel ${typed(one)}`
    return { name, what: 'no running app has it', since: schedule?.confirmed ?? since, advice }
  }
  if (state === 'failed') {
    const advice = `It tries again by itself; see: thence schedules show ${typed(one)}`
    return { name, what: `a slot failed (attempt ${attempts}): ${short(error)}`, since, advice }
  }
  return late > overdueAfter ? { name, what: 'a slot is overdue', since, advice: idle } : undefined
}

const parkedOf = ({ parked, parkedCount }: SeenTimers): Attention | undefined => {
  if (parked === undefined) return undefined
  const { id, due, error } = parked
  return parkedCount === 1
    ? {
        name: id,
        what: `can't be fired: ${short(error)}`,
        since: due,
        advice: `thence schedules fire ${quoted(id)}`,
      }
    : {
        name: 'timers',
        what: `${parkedCount} can't be fired, for example: ${short(error)}`,
        since: due,
        advice: 'thence schedules list --all',
      }
}

export function stuckTimers(seen: SeenTimers, around: Around): readonly Attention[] {
  const { now, idle } = around
  const overdue =
    seen.next === undefined || seen.next >= now - overdueAfter
      ? undefined
      : { name: 'timers', what: 'a timer is overdue', since: seen.next, advice: idle }
  const found = [...seen.schedules.map((one) => scheduleOf(one, around)), parkedOf(seen), overdue]
  return found.filter((one) => one !== undefined)
}
