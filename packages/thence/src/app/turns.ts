/**
 * One thing after the other: what is asked of an open transaction waits for what was asked before, so that taking back
 * one thing that failed never takes another along.
 */
import { ThenceError } from '../errors.ts'
import type { Awaitable } from '../ports/awaitable.ts'

const ended = (): ThenceError =>
  new ThenceError(
    'STATE_INVALID',
    'The transaction has ended. Use what it offers only until its work returns, and await everything in it.',
  )

export class Turns {
  #last: Promise<unknown> = Promise.resolve()
  #waiting = 0
  /** What was given to whoever asked, unless it went well. */
  readonly #given = new Set<Promise<unknown>>()
  #open = true

  /** Rejects with STATE_INVALID after the end, also what waits for its turn then. */
  take<T>(work: () => Awaitable<T>): Promise<T> {
    if (!this.#open) return Promise.reject(ended())
    this.#waiting += 1
    const turn = this.#last
      .then(() => {
        if (!this.#open) throw ended()
        return work()
      })
      .finally(() => (this.#waiting -= 1))
    // Whoever asked is told; the next one goes on.
    this.#last = turn.catch(() => undefined)
    const given = turn.then((value) => {
      this.#given.delete(given)
      return value
    })
    this.#given.add(given)
    return given
  }

  /** Runs the work of the transaction. @throws STATE_INVALID if it returns before something that it began is done. */
  async run<T>(work: () => Awaitable<T>): Promise<T> {
    // What follows comes right after the return, before anything that was begun just now can be done.
    const value = await work()
    const left = this.#waiting
    this.#open = false
    if (left === 0) return value
    throw new ThenceError(
      'STATE_INVALID',
      `The work of the transaction returned while ${left} of its calls were not done, so nothing was committed. ` +
        'Await everything that it begins.',
    )
  }

  /** The transaction has failed as a whole: nothing more is taken, and what was not awaited nobody need catch. */
  fail(): void {
    this.#open = false
    for (const given of this.#given) given.catch(() => undefined)
  }
}
