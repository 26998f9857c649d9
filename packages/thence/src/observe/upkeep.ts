/**
 * Failures of what a process does again and again beside its messages. None of it ends with a failure, so each kind tells of
 * its own: often enough to be seen, and not with every round of an outage.
 */
import { isStoreFailure } from '../errors.ts'
import type { Signals } from './signals.ts'

/** A store that fails is told as a whole; here it is told from this failure in a row on. */
const patience = 4

/** What is tried again beside the store: it can fail while that works. */
export const listening = 'listening'

export class Upkeep {
  readonly #signals: Signals
  readonly #what: string
  #failures = 0

  constructor(signals: Signals, what: string) {
    this.#signals = signals
    this.#what = what
  }

  /** It went well. */
  done(): void {
    this.#failures = 0
    this.#signals.outage.worked(this)
  }

  failed(error: unknown): void {
    this.#failures += 1
    const failures = this.#failures
    if (this.#what !== listening && isStoreFailure(error)) this.#signals.outage.failed(this, error)
    if (!Number.isInteger(Math.log2(failures))) return
    if (failures < patience && isStoreFailure(error)) return
    this.#signals.emit({ name: 'upkeep-failed', what: this.#what, failures, error })
  }
}
