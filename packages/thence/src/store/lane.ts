/**
 * Group commit (decision D1): appends that arrive while a batch is in flight form the next one. One commit per batch,
 * an outcome per request, and nobody waits for a timer.
 */
import { contextOfNow } from '../internal/context.ts'
import type { Runtime } from '../ports/runtime.ts'

/** What became of one request of a batch. */
export type Outcome<Out> = { readonly value: Out } | { readonly error: unknown }

/** @param waited milliseconds that the first of the requests has waited. */
type Committing<In, Out> = (
  requests: readonly In[],
  waited: number,
) => Promise<readonly Outcome<Out>[]>

interface Waiting<In, Out> {
  readonly request: In
  readonly resolve: (value: Out) => void
  readonly reject: (error: unknown) => void
}

/** No batch holds more requests, so that one commit never blocks the process for long. */
const maxBatch = 512

/** The one way into the log for appends that stand for themselves. If `commit` throws, every request of the batch fails. */
export class Lane<In, Out> {
  readonly #commit: Committing<In, Out>
  readonly #runtime: Runtime
  /** A batch is everyone's: it does not run inside of what the first of its callers does. */
  readonly #outside = contextOfNow()
  #waiting: Waiting<In, Out>[] = []
  /** When the first of them came, by `elapsed`. */
  #since = 0
  #running = false

  constructor(commit: Committing<In, Out>, runtime: Runtime) {
    this.#commit = commit
    this.#runtime = runtime
  }

  add(request: In): Promise<Out> {
    const { promise, resolve, reject } = Promise.withResolvers<Out>()
    if (this.#waiting.length === 0) this.#since = this.#runtime.elapsed()
    this.#waiting.push({ request, resolve, reject })
    if (!this.#running) {
      this.#running = true
      this.#schedule()
    }
    return promise
  }

  /** At the end of this turn, so that all callers of the turn share one commit. */
  #schedule(): void {
    this.#runtime.soon(() => void this.#outside(() => this.#drain()))
  }

  async #drain(): Promise<void> {
    const batch = this.#waiting.slice(0, maxBatch)
    this.#waiting = this.#waiting.slice(batch.length)
    const now = this.#runtime.elapsed()
    const waited = now - this.#since
    // What is left of a full batch has come somewhere in between.
    this.#since = now
    await this.#settle(batch, waited)
    // Whoever was answered just now may ask again before this turn is over: going on at once would split them.
    if (this.#waiting.length > 0) this.#schedule()
    else this.#running = false
  }

  async #settle(batch: readonly Waiting<In, Out>[], waited: number): Promise<void> {
    try {
      const requests = batch.map(({ request }) => request)
      const outcomes = await this.#commit(requests, waited)
      for (const [index, waiting] of batch.entries()) {
        const outcome = outcomes[index] as Outcome<Out>
        if ('error' in outcome) waiting.reject(outcome.error)
        else waiting.resolve(outcome.value)
      }
    } catch (error) {
      for (const { reject } of batch) reject(error)
    }
  }
}
