/**
 * Waiting for another connection's lock: tries again after short random pauses, so that the event loop goes on and
 * two processes do not move in step.
 */
import { isThenceError } from '../../errors.ts'
import type { Awaitable } from '../../ports/awaitable.ts'
import type { Runtime } from '../../ports/runtime.ts'

/** Pauses are spread evenly up to this, in milliseconds: long enough for a commit, short enough to find the gap. */
const longestPause = 8

export class Patience {
  readonly #runtime: Runtime
  readonly #timeout: number

  constructor(runtime: Runtime, timeout: number) {
    this.#runtime = runtime
    this.#timeout = timeout
  }

  /** Runs `attempt`; synchronously, unless the store is busy. Throws STORE_BUSY when the timeout is over. */
  run<T>(attempt: () => T): Awaitable<T> {
    try {
      return attempt()
    } catch (error) {
      if (!isThenceError(error, 'STORE_BUSY') || this.#timeout <= 0) throw error
      return this.#again(attempt)
    }
  }

  async #again<T>(attempt: () => T): Promise<T> {
    // Counted by the pauses, not by the clock, which may step.
    for (let waited = 0; ;) {
      const pause = 1 + Math.floor(this.#runtime.random() * longestPause)
      waited += pause
      await new Promise<void>((resolve) => void this.#runtime.after(pause, resolve))
      try {
        return attempt()
      } catch (error) {
        if (!isThenceError(error, 'STORE_BUSY') || waited >= this.#timeout) throw error
      }
    }
  }
}
