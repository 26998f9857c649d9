/**
 * Failures of the store below one loop of a subscription: each is told and waited out, longer the more of them there were in a row, and it is
 * told when they are over.
 */
import { fullJitter } from '../internal/backoff.ts'
import type { Signals } from '../observe/signals.ts'
import type { Runtime } from '../ports/runtime.ts'

/** Milliseconds. */
export const failureBackoff = { base: 100, cap: 10_000 }

export class StoreFailures {
  readonly #subscription: string
  readonly #signals: Signals
  readonly #runtime: Pick<Runtime, 'random'>
  #failures = 0

  constructor(subscription: string, signals: Signals, runtime: Pick<Runtime, 'random'>) {
    this.#subscription = subscription
    this.#signals = signals
    this.#runtime = runtime
  }

  /** Gives the milliseconds after which it is tried again, unless it is heard before that the store works. */
  failed(error: unknown): number {
    this.#failures += 1
    const retryIn = fullJitter(failureBackoff, this.#failures, this.#runtime.random())
    const subscription = this.#subscription
    this.#signals.emit({ name: 'subscription-failed', subscription, retryIn, error })
    this.#signals.outage.failed(this, error)
    return retryIn
  }

  /** The loop has ended. */
  end(): void {
    this.#signals.outage.gone(this)
  }

  /** The store has done what it was asked. */
  over(): void {
    const failures = this.#failures
    if (failures === 0) return
    this.#failures = 0
    const subscription = this.#subscription
    this.#signals.emit({ name: 'subscription-recovered', subscription, failures })
    this.#signals.outage.worked(this)
  }
}
