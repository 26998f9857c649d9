/**
 * The moments that a cron pattern names in a time zone. Reading patterns and knowing zones is croner's; what is ours is
 * to ask it only for what comes after or before a given moment, so that no clock of the process is read.
 *
 * Where the clock of the zone jumps forward, a fixed time in the gap is the first moment after it, and steps and
 * wildcards leave the gap out. Where it goes back, a fixed time is its first occurrence, and steps and wildcards have both.
 */
import { Cron } from 'croner'
import { ThenceError } from '../errors.ts'
import { shown } from '../message/expect.ts'
import { cronProblem, zoneProblem } from './cron-problem.ts'

export interface CronOptions {
  readonly cron: string
  readonly zone: string
}

const unusable = (of: string, value: unknown, problem: string): ThenceError =>
  new ThenceError('CONFIG_INVALID', `${of} is ${shown(value)}: ${problem}`)

/** Undefined if it cannot be read, or is a date. */
const readCron = ({ cron, zone }: CronOptions): Cron | undefined => {
  try {
    const read = new Cron(cron, {
      timezone: zone,
      mode: '5-or-6-parts',
      fixedTimeRule: 'no-wildcard',
    })
    return read.getPattern() === undefined ? undefined : read
  } catch {
    return undefined
  }
}

const isZone = (zone: string): boolean => {
  try {
    // An empty zone would be that of this machine.
    void new Intl.DateTimeFormat('en', { timeZone: zone })
    return true
  } catch {
    return false
  }
}

/** Any moment will do to see whether a pattern names one at all. */
const someday = Date.UTC(2026, 0, 1)

export class CronSlots {
  readonly #cron: Cron
  readonly #what: string
  readonly #options: CronOptions

  /**
   * @param what whose pattern it is, for errors.
   * @throws CONFIG_INVALID if the pattern or the zone cannot be read, or names no moment at all.
   */
  constructor(what: string, options: CronOptions) {
    this.#what = what
    this.#options = options
    const { cron, zone } = options
    if (typeof zone !== 'string' || !isZone(zone))
      throw unusable(`zone of ${what}`, zone, zoneProblem(zone))
    const read = typeof cron === 'string' ? readCron(options) : undefined
    if (read === undefined) {
      const reads = (pattern: string): boolean => readCron({ cron: pattern, zone }) !== undefined
      throw unusable(`cron of ${what}`, cron, cronProblem(cron, reads))
    }
    this.#cron = read
    this.next(someday)
  }

  /** The first slot after a moment, both in Unix milliseconds. @throws CONFIG_INVALID if there is none. */
  next(after: number): number {
    const next = this.#cron.nextRun(new Date(after))
    if (next !== null) return next.getTime()
    const since = new Date(after).toISOString()
    const problem = `it names no moment after ${since}. A day that no month has, as 30 February, never comes.`
    throw unusable(`cron of ${this.#what}`, this.#options.cron, problem)
  }

  /** The slots after `after` up to `until`, which is inclusive, at most `limit`, the earliest first. */
  between(after: number, until: number, limit: number): number[] {
    const found: number[] = []
    for (let slot = this.next(after); slot <= until && found.length < limit; slot = this.next(slot))
      found.push(slot)
    return found
  }

  /** The last `count` slots up to `until`, which is inclusive, the earliest first. */
  last(count: number, until: number): number[] {
    // Slots are whole seconds, and what is asked for is what comes before.
    const end = new Date(Math.floor(until / 1000) * 1000 + 1000)
    return this.#cron
      .previousRuns(count, end)
      .map((run) => run.getTime())
      .toReversed()
  }
}
