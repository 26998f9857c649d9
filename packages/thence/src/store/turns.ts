/**
 * One thing after the other: what is asked of an open transaction waits for what was asked before, so that taking back
 * one thing that failed never takes another along.
 */
import { ThenceError } from '../errors.ts'
import type { Awaitable } from '../ports/awaitable.ts'
import type { Transaction } from '../ports/database.ts'

/** What users are given of a transaction of ours. */
export type Lent = Pick<Transaction, 'documents' | 'sql'>

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

  /** Resolves when all that was begun is done; nothing more is taken then. What failed without being awaited stays unhandled, and is told. */
  async done(): Promise<void> {
    while (this.#waiting > 0) await this.#last
    this.#open = false
    this.#given.clear()
  }

  /** It is over, perhaps by a failure of something else: nothing more is taken, and what was not awaited nobody need catch. */
  fail(): void {
    this.#open = false
    for (const given of this.#given) given.catch(() => undefined)
  }
}

/** The transaction's documents and SQL, taken in turns; an adapter without SQL says so when it is used. */
export const inTurns = (transaction: Lent, turns: Turns): Lent => ({
  documents: {
    get: (...parameters) => turns.take(() => transaction.documents.get(...parameters)),
    getAll: (...parameters) => turns.take(() => transaction.documents.getAll(...parameters)),
    putAll: (...parameters) => turns.take(() => transaction.documents.putAll(...parameters)),
    put: (...parameters) => turns.take(() => transaction.documents.put(...parameters)),
    delete: (...parameters) => turns.take(() => transaction.documents.delete(...parameters)),
    list: (...parameters) => turns.take(() => transaction.documents.list(...parameters)),
    clear: (...parameters) => turns.take(() => transaction.documents.clear(...parameters)),
  },
  sql: {
    run: (...parameters) => turns.take(() => transaction.sql.run(...parameters)),
    all: (...parameters) => turns.take(() => transaction.sql.all(...parameters)),
  },
})

/**
 * Lends them to the work of a user, until it is over: what it left behind does not go on in what others do in that transaction.
 * @throws STATE_INVALID if it returns before something that it began is done
 */
export async function lend(
  transaction: Lent,
  work: (lent: Lent) => Awaitable<void>,
): Promise<void> {
  const turns = new Turns()
  try {
    await turns.run(() => work(inTurns(transaction, turns)))
  } catch (error) {
    turns.fail()
    throw error
  }
}
