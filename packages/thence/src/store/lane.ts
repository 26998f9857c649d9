/**
 * Group commit (decision D1): appends that arrive while a batch is in flight form the next one. One commit per batch,
 * an outcome per request, and nobody waits for a timer. What waits is bounded, in requests and in bytes.
 */
import { ThenceError } from '../errors.ts'
import { contextOfNow } from '../internal/context.ts'
import { Room } from '../internal/room.ts'
import type { Runtime } from '../ports/runtime.ts'

/** What became of one request of a batch. */
export type Outcome<Out> = { readonly value: Out } | { readonly error: unknown }

/** @param waited milliseconds that the first of the requests has waited. */
type Committing<In, Out> = (
  requests: readonly In[],
  waited: number,
) => Promise<readonly Outcome<Out>[]>

/** How much may wait for its commit in one process. */
export interface AppendLimits {
  /** Appends that wait or are being committed; default 100,000. */
  readonly maxInFlight?: number
  /** Bytes of their data and metadata as text; default 64 MiB. One append may be larger, if nothing else waits. */
  readonly maxBytes?: number
}

interface Waiting<In, Out> {
  readonly request: In
  readonly bytes: number
  readonly resolve: (value: Out) => void
  readonly reject: (error: unknown) => void
}

/** No batch holds more requests or bytes, unless one request has more, so that one commit never blocks the process for long. */
const maxBatch = { requests: 512, bytes: 4 * 1024 * 1024 }

const defaults = { maxInFlight: 100_000, maxBytes: 64 * 1024 * 1024 }

const overloaded = (requests: number, bytes: number): ThenceError =>
  new ThenceError(
    'STORE_OVERLOADED',
    `${requests} appends with ${bytes} bytes wait for their commit already, so this one was refused and nothing of it was ` +
      'written. Await appends before you make more, or append several messages at once.',
    { details: { appends: requests, bytes } },
  )

/** The one way into the log for appends that stand for themselves. If `commit` throws, every request of the batch fails. */
export class Lane<In, Out> {
  readonly #commit: Committing<In, Out>
  readonly #runtime: Runtime
  /** A batch is everyone's: it does not run inside of what the first of its callers does. */
  readonly #outside = contextOfNow()
  readonly #limits: Required<AppendLimits>
  #waiting: Waiting<In, Out>[] = []
  /** Of what waits and of what is being committed. */
  #bytes = 0
  #requests = 0
  /** When the first of them came, by `elapsed`. */
  #since = 0
  #running = false

  constructor(commit: Committing<In, Out>, runtime: Runtime, limits: AppendLimits = {}) {
    this.#commit = commit
    this.#runtime = runtime
    this.#limits = { ...defaults, ...limits }
  }

  /**
   * @param bytes how much memory the request takes until it is settled.
   * @throws STORE_OVERLOADED if too much waits already.
   */
  add(request: In, bytes: number): Promise<Out> {
    const { maxInFlight, maxBytes } = this.#limits
    const isFull = this.#requests >= maxInFlight || this.#bytes + bytes > maxBytes
    if (this.#requests > 0 && isFull) return Promise.reject(overloaded(this.#requests, this.#bytes))
    this.#requests += 1
    this.#bytes += bytes
    const { promise, resolve, reject } = Promise.withResolvers<Out>()
    if (this.#waiting.length === 0) this.#since = this.#runtime.elapsed()
    this.#waiting.push({ request, bytes, resolve, reject })
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
    const batch = this.#next()
    const now = this.#runtime.elapsed()
    const waited = now - this.#since
    // What is left of a full batch has come somewhere in between.
    this.#since = now
    await this.#settle(batch, waited)
    this.#requests -= batch.length
    for (const { bytes } of batch) this.#bytes -= bytes
    // Whoever was answered just now may ask again before this turn is over: going on at once would split them.
    if (this.#waiting.length > 0) this.#schedule()
    else this.#running = false
  }

  /** Takes what the next commit has room for. */
  #next(): readonly Waiting<In, Out>[] {
    const room = new Room(maxBatch.requests, maxBatch.bytes)
    const over = this.#waiting.findIndex(({ bytes }) => !room.take(bytes))
    return this.#waiting.splice(0, over === -1 ? this.#waiting.length : over)
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
