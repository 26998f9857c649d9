/** Whether each slot of each schedule was fired once, never early, and none was left out that had to be fired. */
import { scheduleId } from '../../schedule/record.ts'
import type { Schedule } from '../../schedule/schedule.ts'
import { suffixOf } from '../../schedule/slots.ts'
import type { Outcome } from './outcome.ts'

interface Fired {
  readonly slot: number
  /** When its command was recorded, by the database's clock. */
  readonly time: number
}

/** Slots in the order in which they were fired; one that was fired by hand is none. */
const firedOf = ({ name }: Schedule, { log }: Outcome): readonly Fired[] =>
  log.flatMap(({ id, time }) => {
    if (!id.startsWith(`${name}@`)) return []
    const suffix = id.slice(name.length + 1)
    const slot = Date.parse(suffix)
    return Number.isNaN(slot) || suffixOf(slot) !== suffix ? [] : [{ slot, time }]
  })

/** Where all slots are to be fired, each follows the one before; else some may be left out. */
const checkOrder = (
  { name, slots, catchUp }: Schedule,
  fired: readonly Fired[],
  first: number,
): string[] => {
  const problems: string[] = []
  let due = first
  for (const { slot } of fired) {
    if (slot < due) problems.push(`duplicate-slot: ${name} fired ${suffixOf(slot)} out of order`)
    else if (slot > due && catchUp === 'all')
      problems.push(`lost-slot: ${name} never fired ${suffixOf(due)}`)
    due = slots.next(slot)
  }
  return problems
}

const checkOne = (schedule: Schedule, outcome: Outcome): string[] => {
  const { name } = schedule
  const first = outcome.books.timers.first.get(scheduleId(name))
  const fired = firedOf(schedule, outcome)
  if (first === undefined) return [`lost-slot: ${name} was never planned`]
  const problems = checkOrder(schedule, fired, first)
  for (const { slot, time } of fired)
    if (time < slot)
      problems.push(`early-slot: ${name} fired ${suffixOf(slot)} ${slot - time} ms early`)
  return problems
}

/** Every schedule. That what is overdue is fired was seen when everything had calmed down. */
export const checkSchedules = (outcome: Outcome): string[] =>
  outcome.parts.schedules.flatMap((schedule) => checkOne(schedule, outcome))
