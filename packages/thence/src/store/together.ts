/**
 * Reads that are asked for at the same time go together, over one connection: what they ask side by side, a database that is remote
 * answers in few calls.
 */
import { contextOfNow } from '../internal/context.ts'
import type { Transaction } from '../ports/database.ts'

type Work<T> = (transaction: Transaction) => Promise<T>

interface Waiting {
  /** Does the work; what it fails with is told to whoever asked, and nobody else. */
  readonly run: Work<void>
  /** The reading failed as a whole. */
  readonly fail: (error: unknown) => void
}

/** Readings under way at once. */
const mostReadings = 2
/** Works of one reading. */
const mostWorks = 64

export class Together {
  readonly #read: (work: Work<void>) => Promise<void>
  readonly #outside = contextOfNow()
  readonly #waiting: Waiting[] = []
  #readings = 0

  /** @param read shows `work` a transaction in which each question may see a state of its own. */
  constructor(read: (work: Work<void>) => Promise<void>) {
    this.#read = read
  }

  /** What `work` gives or throws, or what the store throws. */
  add<T>(work: Work<T>): Promise<T> {
    const { promise, resolve, reject } = Promise.withResolvers<T>()
    const run = async (transaction: Transaction): Promise<void> => {
      try {
        resolve(await work(transaction))
      } catch (error) {
        reject(error)
      }
    }
    this.#waiting.push({ run, fail: reject })
    if (this.#readings < mostReadings) void this.#outside(() => this.#go())
    return promise
  }

  async #go(): Promise<void> {
    this.#readings += 1
    // Whoever asks in this tick goes along.
    await Promise.resolve()
    while (this.#waiting.length > 0) await this.#next(this.#waiting.splice(0, mostWorks))
    this.#readings -= 1
  }

  async #next(works: readonly Waiting[]): Promise<void> {
    try {
      await this.#read(async (transaction) => {
        await Promise.all(works.map(({ run }) => run(transaction)))
      })
    } catch (error) {
      for (const { fail } of works) fail(error)
    }
  }
}
