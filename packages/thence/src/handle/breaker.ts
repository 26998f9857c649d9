/**
 * A circuit breaker: when most attempts fail for a reason that time mends, nothing more is begun for a while; then one
 * attempt probes whether it is over. It stops the work, so no attempt is burned and nothing is parked in an outage.
 */
import { ThenceError } from '../errors.ts'
import type { Duration } from '../internal/duration.ts'
import { milliseconds } from '../internal/duration.ts'
import type { ErrorKind } from '../errors.ts'
import type { OptionNames } from '../message/expect.ts'
import { expectObject, expectOptions } from '../message/expect.ts'

/** A breaker as it is written; what is left out is as the default says. It holds for one process. */
export interface BreakerOptions {
  /** It opens when this share of the attempts in `window` fail transiently; above 0, at most 1. Default 0.5. */
  readonly failures?: number
  /** … of at least so many attempts. Default 20. */
  readonly minimum?: number
  /** Default 30 s. */
  readonly window?: Duration
  /** How long nothing is begun, before one attempt probes. Default 30 s. */
  readonly pause?: Duration
}

const optionNames: OptionNames<BreakerOptions> = {
  failures: true,
  minimum: true,
  window: true,
  pause: true,
}

export interface BreakerPolicy {
  readonly failures: number
  readonly minimum: number
  /** Milliseconds. */
  readonly window: number
  /** Milliseconds. */
  readonly pause: number
}

const fallback = { failures: 0.5, minimum: 20, window: '30s', pause: '30s' } as const

/** @throws CONFIG_INVALID */
export function breakerPolicy(what: string, options: BreakerOptions = {}): BreakerPolicy {
  expectObject(`breaker of ${what}`, options)
  expectOptions(`breaker of ${what}`, options, optionNames)
  const { failures, minimum, window, pause } = { ...fallback, ...options }
  const times = {
    window: milliseconds(`breaker.window of ${what}`, window),
    pause: milliseconds(`breaker.pause of ${what}`, pause),
  }
  const share = typeof failures === 'number' && failures > 0 && failures <= 1
  if (share && Number.isSafeInteger(minimum) && minimum >= 1 && times.window > 0 && times.pause > 0)
    return { failures, minimum, ...times }
  throw new ThenceError(
    'CONFIG_INVALID',
    `${what}: breaker opens at ${failures} of at least ${minimum} attempts; write a share above 0 and at most 1, a whole minimum of at least 1, and times above 0.`,
  )
}

/** `closed`: all goes on. `open`: nothing is begun. `half-open`: one attempt may probe, or does. */
export type BreakerState = 'closed' | 'open' | 'half-open'

/** Leave to begin one attempt. */
export interface Permit {
  /** Whether its outcome decides if the breaker closes. */
  readonly probe: boolean
  /** Counts the openings, so that what began before one says nothing after it. */
  readonly turn: number
}

/** How an attempt ended; `none`: it was broken off. */
export type Outcome = ErrorKind | 'done' | 'none'

interface Slice {
  readonly from: number
  attempts: number
  failures: number
}

/** A window is counted in so many slices; the oldest is forgotten as a whole. */
const slices = 10

/** Times are milliseconds of a clock that never goes back. */
export class Breaker {
  readonly #policy: BreakerPolicy
  #counted: Slice[] = []
  #turn = 0
  #openUntil: number | undefined
  #probing = false
  #closedAt: number | undefined

  constructor(policy: BreakerPolicy) {
    this.#policy = policy
  }

  state(now: number): BreakerState {
    if (this.#openUntil === undefined) return 'closed'
    return now < this.#openUntil ? 'open' : 'half-open'
  }

  /** Whether one attempt is under way that decides. */
  get probing(): boolean {
    return this.#probing
  }

  /** Milliseconds until one attempt may probe; 0 if it is not open. */
  opensIn(now: number): number {
    return Math.max(0, (this.#openUntil ?? 0) - now)
  }

  /** Milliseconds since an outage was over, if there was one. */
  closedFor(now: number): number | undefined {
    return this.#closedAt === undefined ? undefined : now - this.#closedAt
  }

  /** Leave to begin, unless nothing may be begun now. */
  begin(now: number): Permit | undefined {
    const state = this.state(now)
    if (state === 'closed') return { probe: false, turn: this.#turn }
    if (state === 'open' || this.#probing) return undefined
    this.#probing = true
    return { probe: true, turn: this.#turn }
  }

  /** Hears how an attempt ended; returns whether that opened or closed it. */
  end(permit: Permit, outcome: Outcome, now: number): 'opened' | 'closed' | undefined {
    if (permit.turn !== this.#turn) return undefined
    return permit.probe ? this.#probed(outcome, now) : this.#count(outcome, now)
  }

  /** The share and number of attempts that it has counted in its window. */
  counts(now: number): { readonly attempts: number; readonly failures: number } {
    this.#counted = this.#counted.filter(({ from }) => from > now - this.#policy.window)
    const sum = { attempts: 0, failures: 0 }
    for (const { attempts, failures } of this.#counted) {
      sum.attempts += attempts
      sum.failures += failures
    }
    return sum
  }

  /** What is no transient failure says that what is called answers, but only what went through says that all is well. */
  #probed(outcome: Outcome, now: number): 'opened' | 'closed' | undefined {
    this.#probing = false
    if (outcome === 'transient') return this.#open(now)
    if (outcome !== 'done') return undefined
    this.#openUntil = undefined
    this.#closedAt = now
    return 'closed'
  }

  #count(outcome: Outcome, now: number): 'opened' | undefined {
    if (outcome === 'none') return undefined
    const { window, failures, minimum } = this.#policy
    const last = this.#counted.at(-1)
    const failed = outcome === 'transient' ? 1 : 0
    if (last !== undefined && now < last.from + window / slices) {
      last.attempts += 1
      last.failures += failed
    } else this.#counted.push({ from: now, attempts: 1, failures: failed })
    const sum = this.counts(now)
    if (failed === 0 || sum.attempts < minimum || sum.failures < sum.attempts * failures)
      return undefined
    return this.#open(now)
  }

  #open(now: number): 'opened' {
    this.#turn += 1
    this.#counted = []
    this.#closedAt = undefined
    this.#openUntil = now + this.#policy.pause
    return 'opened'
  }
}
