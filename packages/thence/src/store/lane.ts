/**
 * Group commit (decision D1): appends that arrive while a batch is in flight form the next one. One commit per batch,
 * an outcome per request, and nobody waits for a timer. What waits is bounded, in requests and in bytes. Where commits
 * happen elsewhere, many are committed in two halves that take turns (decision 0046).
 */
import { ThenceError } from '../errors.ts'
import { contextOfNow } from '../internal/context.ts'
import { Room } from '../internal/room.ts'
import type { Awaitable } from '../ports/awaitable.ts'
import type { Runtime } from '../ports/runtime.ts'

/** What became of one request of a batch. */
export type Outcome<Out> = { readonly value: Out } | { readonly error: unknown }

/** What became of the requests of a batch that is committed, in their order; it does not throw. */
export type Outcomes<Out> = () => Awaitable<readonly Outcome<Out>[]>

/**
 * Resolves when the commit is over: the next one may begin before the outcomes are asked for.
 * @param waited milliseconds that the first of the requests has waited.
 */
type Committing<In, Out> = (requests: readonly In[], waited: number) => Promise<Outcomes<Out>>

/** How much may wait for its commit in one process. */
export interface AppendLimits {
  /** Appends that wait or are being committed; default 100,000. */
  readonly maxInFlight?: number
  /** Bytes of their data and metadata as text; default 64 MiB. One append may be larger, if nothing else waits. */
  readonly maxBytes?: number
}

export interface LaneOptions extends AppendLimits {
  /** Whether commits happen elsewhere, and leave this process time to do something else. Default false. */
  readonly remote?: boolean
}

interface Waiting<In, Out> {
  readonly request: In
  readonly bytes: number
  readonly resolve: (value: Out) => void
  readonly reject: (error: unknown) => void
}

/** A batch on its way. */
interface Going<In, Out> {
  readonly batch: readonly Waiting<In, Out>[]
  readonly over: Promise<Outcomes<Out>>
}

/** No batch holds more requests or bytes, unless one request has more, so that one commit never blocks the process for long. */
const maxBatch = { requests: 512, bytes: 4 * 1024 * 1024 }

/**
 * From so many on, half of them are committed while this process works for the other half: it answers them, and prepares what
 * they ask for next. Below, one commit of all is as fast as two of half, because each has a cost of its own.
 */
const twoTurns = 128

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
  readonly #remote: boolean
  #waiting: Waiting<In, Out>[] = []
  /** Of what waits and of what is being committed. */
  #bytes = 0
  #requests = 0
  /** When the first of them came, by `elapsed`. */
  #since = 0
  #running = false

  constructor(commit: Committing<In, Out>, runtime: Runtime, options: LaneOptions = {}) {
    const { remote = false, ...limits } = options
    this.#commit = commit
    this.#runtime = runtime
    this.#limits = { ...defaults, ...limits }
    this.#remote = remote
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
    let going: Going<In, Out> | undefined = this.#begin()
    while (going !== undefined) going = await this.#end(going)
    // Whoever was answered just now may ask again before this turn is over: going on at once would split them.
    if (this.#waiting.length > 0) this.#schedule()
    else this.#running = false
  }

  #begin(): Going<In, Out> {
    const batch = this.#next()
    const now = this.#runtime.elapsed()
    const waited = now - this.#since
    // What is left of a full batch has come somewhere in between.
    this.#since = now
    const requests = batch.map(({ request }) => request)
    return { batch, over: this.#commit(requests, waited) }
  }

  /** Answers a batch when its commit is over; returns the one that has begun meanwhile. */
  async #end({ batch, over }: Going<In, Out>): Promise<Going<In, Out> | undefined> {
    let next: Going<In, Out> | undefined
    try {
      const outcomes = await over
      next = await this.#beginMeanwhile()
      this.#settle(batch, await outcomes())
    } catch (error) {
      for (const { reject } of batch) reject(error)
    }
    this.#requests -= batch.length
    for (const { bytes } of batch) this.#bytes -= bytes
    return next
  }

  /** The next commit is sent before the callers of the last one have their turn, so that both are at work. */
  async #beginMeanwhile(): Promise<Going<In, Out> | undefined> {
    if (!this.#remote || this.#waiting.length === 0) return undefined
    const next = this.#begin()
    // Whoever awaits it will meet its failure.
    next.over.catch(() => undefined)
    await new Promise<void>((resolve) => this.#runtime.soon(resolve))
    return next
  }

  /** Takes what the next commit has room for. */
  #next(): readonly Waiting<In, Out>[] {
    const room = new Room(maxBatch.requests, maxBatch.bytes)
    const most =
      this.#remote && this.#requests >= twoTurns ? Math.ceil(this.#requests / 2) : Infinity
    const over = this.#waiting.findIndex(({ bytes }, index) => index === most || !room.take(bytes))
    return this.#waiting.splice(0, over === -1 ? this.#waiting.length : over)
  }

  #settle(batch: readonly Waiting<In, Out>[], outcomes: readonly Outcome<Out>[]): void {
    for (const [index, waiting] of batch.entries()) {
      const outcome = outcomes[index] as Outcome<Out>
      if ('error' in outcome) waiting.reject(outcome.error)
      else waiting.resolve(outcome.value)
    }
  }
}
