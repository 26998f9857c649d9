/**
 * How fast a handler may go in this process: its breaker, its rate limit, its retry budget, and a slow start after an
 * outage, behind one door that every attempt passes before it begins.
 */
import type { Cancel, Runtime } from '../ports/runtime.ts'
import type { BreakerPolicy, Outcome, Permit } from './breaker.ts'
import { Breaker } from './breaker.ts'
import type { Budget } from './budget.ts'
import { RetryBudget } from './budget.ts'
import type { Rate } from './rate.ts'
import { RateLimit } from './rate.ts'
import { Turnstile } from './turnstile.ts'

export interface PacePolicy {
  readonly budget: Budget
  readonly breaker?: BreakerPolicy | undefined
  readonly rate?: Rate | undefined
  /** How many attempts there may be at a time; reached by and by after an outage. */
  readonly concurrency: number
}

/** What changed about the breaker. */
export type PaceNews =
  | {
      readonly name: 'breaker-opened'
      /** What it had counted in its window; one failure of one attempt if a probe failed. */
      readonly attempts: number
      readonly failures: number
      /** Milliseconds until one attempt may probe. */
      readonly pause: number
    }
  | { readonly name: 'breaker-half-opened' }
  | { readonly name: 'breaker-closed' }

const open: Permit = { probe: false, turn: 0 }

export class Pace {
  readonly #policy: PacePolicy
  readonly #runtime: Runtime
  readonly #tell: (news: PaceNews) => void
  readonly #breaker: Breaker | undefined
  readonly #rate: RateLimit | undefined
  readonly #budget: RetryBudget
  readonly #retries: Turnstile
  readonly #all: Turnstile
  readonly #listeners = new Set<() => void>()
  #inHand = 0

  constructor(policy: PacePolicy, runtime: Runtime, tell: (news: PaceNews) => void) {
    const { breaker, rate, budget } = policy
    this.#policy = policy
    this.#runtime = runtime
    this.#tell = tell
    this.#breaker = breaker === undefined ? undefined : new Breaker(breaker)
    this.#rate = rate === undefined ? undefined : new RateLimit(rate)
    this.#budget = new RetryBudget(budget)
    this.#retries = new Turnstile(runtime, (now) => this.#budget.take(now))
    this.#all = new Turnstile(runtime, (now) => this.#enter(now))
  }

  /** Whether nothing may be begun now, because what is called is out of order. */
  get holding(): boolean {
    const state = this.#breaker?.state(this.#runtime.elapsed())
    return state === 'open' || (state === 'half-open' && this.#breaker?.probing === true)
  }

  /** Whole milliseconds in which no failed message need be tried again; 0 if there is no outage. */
  get opensIn(): number {
    return Math.ceil(this.#breaker?.opensIn(this.#runtime.elapsed()) ?? 0)
  }

  /**
   * Waits until the budget has room for a retry; false if nothing may be begun: in an outage, or because `signal` was
   * aborted.
   */
  async afford(signal: AbortSignal): Promise<boolean> {
    return !this.holding && (await this.#retries.pass(signal))
  }

  /**
   * Waits for its turn and gives leave to begin; `undefined` if nothing may be begun: in an outage, or because `signal`
   * was aborted. Whoever gets leave must {@link Pace.end} it. A retry is to {@link Pace.afford} it first.
   */
  async begin(attempt: 'first' | 'retry', signal: AbortSignal): Promise<Permit | undefined> {
    if (this.holding) return undefined
    if (!(await this.#all.pass(signal))) return undefined
    const permit = this.#breaker === undefined ? open : this.#breaker.begin(this.#runtime.elapsed())
    if (permit === undefined) this.#leave()
    else if (attempt === 'first') this.#budget.earn()
    if (permit?.probe === true) this.#tell({ name: 'breaker-half-opened' })
    return permit
  }

  /** Hears how an attempt ended that was given leave. */
  end(permit: Permit, outcome: Outcome): void {
    const now = this.#runtime.elapsed()
    const counted = this.#breaker?.counts(now)
    const change = this.#breaker?.end(permit, outcome, now)
    if (change === 'opened') this.#opened(permit, counted)
    else if (change === 'closed') this.#tell({ name: 'breaker-closed' })
    this.#leave()
    if (permit.probe) for (const listener of this.#listeners) listener()
  }

  /** Calls `listener` when something may perhaps be begun again; returns how to stop that. */
  whenFree(listener: () => void): Cancel {
    this.#listeners.add(listener)
    const wait = this.#breaker?.opensIn(this.#runtime.elapsed()) ?? 0
    const cancel = wait > 0 ? this.#runtime.after(wait, listener) : () => undefined
    return () => {
      this.#listeners.delete(listener)
      cancel()
    }
  }

  #enter(now: number): number {
    const wait = this.#slowStart(now) || (this.#rate?.take(now) ?? 0)
    if (wait === 0) this.#inHand += 1
    return wait
  }

  #leave(): void {
    this.#inHand -= 1
    this.#all.serve()
  }

  #opened({ probe }: Permit, counted = { attempts: 0, failures: 0 }): void {
    const before = probe ? { attempts: 0, failures: 0 } : counted
    this.#tell({
      name: 'breaker-opened',
      attempts: before.attempts + 1,
      failures: before.failures + 1,
      pause: this.#policy.breaker?.pause ?? 0,
    })
  }

  /** After an outage, one attempt at a time at first, and all at once only after as long a time as the pause. */
  #slowStart(now: number): number {
    const { breaker, concurrency } = this.#policy
    const closedFor = this.#breaker?.closedFor(now)
    if (breaker === undefined || closedFor === undefined || closedFor >= breaker.pause) return 0
    const share = Math.floor((concurrency * closedFor) / breaker.pause)
    if (this.#inHand < Math.max(1, share)) return 0
    return Math.ceil(((share + 1) * breaker.pause) / concurrency - closedFor)
  }
}
