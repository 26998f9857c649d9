/**
 * Commits what became of retries: together with others that are done at the same time, or alone where it has to be.
 */
import { isThenceError } from '../errors.ts'
import { bytesOf } from '../internal/room.ts'
import type { Outcomes } from '../store/lane.ts'
import { Lane } from '../store/lane.ts'
import type { Retried } from './retry-step.ts'
import { goesAlone, takeRetries } from './retry-step.ts'
import type { Stepping } from './stepping.ts'

export class Settling {
  readonly #stepping: Stepping
  readonly #lane: Lane<Retried, void>

  constructor(stepping: Stepping) {
    this.#stepping = stepping
    this.#lane = new Lane((all) => this.#together(all), stepping.store.tools.runtime)
  }

  /** @throws CHECKPOINT_MOVED, and the errors of the store: then nothing is committed. */
  async settle(retried: Retried): Promise<void> {
    if (goesAlone(this.#stepping, retried)) return this.#alone(retried)
    try {
      await this.#lane.add(retried, bytesOf(retried.item.stored))
    } catch (error) {
      if (!isThenceError(error, 'TRANSACTION_TIMEOUT')) throw error
      await this.#alone(retried)
    }
  }

  async #alone(retried: Retried): Promise<void> {
    try {
      await takeRetries(this.#stepping, [retried])
    } catch (error) {
      // It was alone in its transaction: that the transaction hung is its own failure.
      if (!isThenceError(error, 'TRANSACTION_TIMEOUT')) throw error
      retried.item.failure = { error }
      await takeRetries(this.#stepping, [retried])
    }
  }

  async #together(all: readonly Retried[]): Promise<Outcomes<void>> {
    await takeRetries(this.#stepping, all)
    return () => all.map(() => ({ value: undefined }))
  }
}
