/**
 * One thing after the other: what is asked of an open transaction waits for what was asked before, so that taking back
 * one thing that failed never takes another along.
 */
import { ThenceError } from '../errors.ts'
import type { Awaitable } from '../ports/awaitable.ts'

export class Turns {
  #last: Promise<unknown> = Promise.resolve()
  #waiting = 0
  #open = true

  /** @throws STATE_INVALID after the end. */
  async take<T>(work: () => Awaitable<T>): Promise<T> {
    if (!this.#open)
      throw new ThenceError(
        'STATE_INVALID',
        'The transaction has ended. Use what it offers only until its work returns, and await everything in it.',
      )
    this.#waiting += 1
    const before = this.#last
    const turn = before.then(work).finally(() => {
      this.#waiting -= 1
    })
    // Whoever asked is told; the next one goes on.
    this.#last = turn.catch(() => undefined)
    return turn
  }

  /** The work has returned: nothing more is taken. @throws STATE_INVALID if something that it began was not awaited. */
  close(): void {
    this.#open = false
    if (this.#waiting === 0) return
    throw new ThenceError(
      'STATE_INVALID',
      `The work of the transaction returned while ${this.#waiting} of its calls were not done, so nothing was committed. ` +
        'Await everything that it begins.',
    )
  }
}
