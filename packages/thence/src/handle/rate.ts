/**
 * At most so many attempts in any stretch of time. It remembers when the latest ones began, so the limit holds for every
 * stretch and not only on average, as a bucket that refills would have it.
 */
import { ThenceError } from '../errors.ts'
import type { Duration } from '../internal/duration.ts'
import { milliseconds } from '../internal/duration.ts'
import type { OptionNames } from '../message/expect.ts'
import { expectObject, expectOptions } from '../message/expect.ts'

/** A limit as it is written. It holds for one process. */
export interface RateOptions {
  /** Attempts, first ones and retries alike; 1 to 100,000. */
  readonly limit: number
  readonly per: Duration
}

const optionNames: OptionNames<RateOptions> = { limit: true, per: true }

export interface Rate {
  readonly limit: number
  /** Milliseconds; at least 1. */
  readonly per: number
}

const most = 100_000

/** @throws CONFIG_INVALID */
export function ratePolicy(what: string, options: RateOptions): Rate {
  expectObject(`rate of ${what}`, options)
  expectOptions(`rate of ${what}`, options, optionNames)
  const { limit, per } = options
  const length = milliseconds(`rate.per of ${what}`, per)
  if (Number.isSafeInteger(limit) && limit >= 1 && limit <= most && length >= 1)
    return { limit, per: length }
  throw new ThenceError(
    'CONFIG_INVALID',
    `${what}: rate is ${limit} per ${length} ms; write a whole limit from 1 to ${most}, and a stretch of at least 1 ms.`,
  )
}

export class RateLimit {
  readonly #rate: Rate
  /** When the latest attempts began; a ring that begins at `#next`. */
  readonly #begun: number[] = []
  #next = 0

  constructor(rate: Rate) {
    this.#rate = rate
  }

  /**
   * Counts an attempt as begun and gives 0, or gives how many milliseconds to wait before asking again.
   * @param now milliseconds of a clock that never goes back.
   */
  take(now: number): number {
    const { limit, per } = this.#rate
    const wait = (this.#begun[this.#next] ?? -Infinity) + per - now
    if (this.#begun.length === limit && wait > 0) return Math.ceil(wait)
    this.#begun[this.#next] = now
    this.#next = (this.#next + 1) % limit
    return 0
  }
}
