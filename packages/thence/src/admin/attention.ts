/**
 * What wants a person's eye, as `status` tells it.
 */
import { mostParked } from '../app/reporter.ts'

export interface Attention {
  /** The subscription, the kind of a job, a schedule or timer by its id, `timers`, or `process`. */
  readonly name: string
  /** What is wrong, in a few words. */
  readonly what: string
  /** Unix milliseconds. */
  readonly since: number
  /** What to do next. */
  readonly advice: string
}

/** A number of parked letters: no more than so many are counted. */
export const parkedText = (parked: number): string =>
  parked < mostParked ? `${parked}` : `${mostParked} or more`

/** What should happen within a second is worth a word when it is so late, in milliseconds. */
export const overdueAfter = 5000
