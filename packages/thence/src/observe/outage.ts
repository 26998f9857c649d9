/**
 * A store that does not do what it is asked, as one thing: however many loops of a process meet it, it is told when it begins, once a minute while
 * it goes on, and when all that failed has worked again.
 */
import type { Runtime } from '../ports/runtime.ts'
import type { StoreSignal } from './store-signals.ts'

/** Milliseconds. */
const tellEvery = 60_000

export class Outage {
  readonly #runtime: Pick<Runtime, 'elapsed'>
  readonly #emit: (signal: StoreSignal) => void
  /** What has failed and has not worked since. */
  readonly #failing = new Set<object>()
  #failures = 0
  #since = 0
  #told = -Infinity

  constructor(runtime: Pick<Runtime, 'elapsed'>, emit: (signal: StoreSignal) => void) {
    this.#runtime = runtime
    this.#emit = emit
  }

  /** Whether anything has failed and has not worked since. */
  get lasts(): boolean {
    return this.#failing.size > 0
  }

  failed(who: object, error: unknown): void {
    const now = this.#runtime.elapsed()
    if (this.#failing.size === 0) {
      this.#since = now
      this.#failures = 0
      this.#told = -Infinity
    }
    this.#failing.add(who)
    this.#failures += 1
    if (now - this.#told < tellEvery) return
    this.#told = now
    const [failures, lasted] = [this.#failures, this.#lasted]
    this.#emit({ name: 'store-failing', failures, lasted, error })
  }

  worked(who: object): void {
    if (!this.#failing.delete(who) || this.#failing.size > 0) return
    this.#emit({ name: 'store-recovered', failures: this.#failures, lasted: this.#lasted })
  }

  /** It asks no more, so that it says nothing of the store any more. */
  gone(who: object): void {
    this.#failing.delete(who)
  }

  get #lasted(): number {
    return Math.round(this.#runtime.elapsed() - this.#since)
  }
}
