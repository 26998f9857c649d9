/**
 * Which dead letters are meant, as somebody says it: what can't be true of any letter is refused, because nothing would
 * match and that would look as if all were well.
 */
import { ThenceError } from '../errors.ts'
import { errorKinds } from '../handle/classify.ts'
import type { OptionNames } from '../message/expect.ts'
import { expectList, expectOneOf, shown } from '../message/expect.ts'
import type { DeadLetterState, LetterFilter } from '../ports/dead-letters.ts'

/** All states that a letter can be in. */
export const letterStates: readonly DeadLetterState[] = [
  'parked',
  'redriven',
  'resolved',
  'discarded',
]

export const letterNames: OptionNames<LetterFilter> = {
  state: true,
  subscription: true,
  fingerprint: true,
  type: true,
  key: true,
  kind: true,
  since: true,
  until: true,
  job: true,
  ids: true,
}

const invalid = (text: string): ThenceError => new ThenceError('CONFIG_INVALID', text)

const expectMoment = (name: string, time: number | undefined): void => {
  if (time === undefined || Math.abs(time) <= latest) return
  throw invalid(`${name} is ${shown(time)}; give Unix milliseconds.`)
}

/** The last moment that a Date can be. */
const latest = 8.64e15

const isoOf = (time: number): string => new Date(time).toISOString()

/** @throws CONFIG_INVALID */
export function expectLetters({ state, kind, since, until, ids }: LetterFilter): void {
  if (state !== undefined) expectOneOf('state', state, letterStates)
  if (kind !== undefined) expectOneOf('kind', kind, errorKinds)
  if (ids !== undefined) expectList('ids', ids)
  expectMoment('since', since)
  expectMoment('until', until)
  if (since === undefined || until === undefined || since < until) return
  throw invalid(
    `since is ${isoOf(since)} and until is ${isoOf(until)}, so that no letter is meant. Give the earlier one as since.`,
  )
}
