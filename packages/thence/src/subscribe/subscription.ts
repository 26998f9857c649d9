/**
 * A reader that remembers its checkpoint: the one engine behind projections, handlers, sagas and recorded commands. It
 * reads a page, hands it to its sink, moves its checkpoint in the same transaction, and survives what fails.
 */
import { isThenceError } from '../errors.ts'
import { fullJitter } from '../internal/backoff.ts'
import type { Recorded } from '../message/message.ts'
import type { RetryPolicy } from '../handle/retry.ts'
import type { Signals } from '../observe/signals.ts'
import type { Checkpoint } from '../ports/checkpoints.ts'
import type { StoredMessage } from '../ports/events.ts'
import type { Store } from '../store/store.ts'
import type { Commit } from '../store/writer.ts'
import { Follower } from './follower.ts'
import type { Item } from './item.ts'
import { toItem as makeItem } from './item.ts'
import { beginAnew } from './anew.ts'
import { prepareOne } from './prepare.ts'
import { Retrying } from './retrying.ts'
import type { Sink } from './sink.ts'
import { Waker } from './waker.ts'

export interface SubscriptionOptions {
  readonly name: string
  /** Types of messages it reads. */
  readonly types: readonly string[]
  /** Messages with the same key are handled in order, and only they wait for one that failed. Absent: one sequence. */
  readonly key?: ((message: Recorded) => string) | undefined
  /** Where a subscription begins that has no checkpoint yet; default: at the start of the log. */
  readonly from?: 'start' | 'now'
  readonly retry: RetryPolicy
  /** Messages per page, and so the most that is in memory. */
  readonly batch: number
  /** How many keys `prepare` works on side by side. */
  readonly concurrency: number
  readonly sink: Sink
}

/** `halted`: one sequence that waits for a failed message. `rebuilding`: its view is not to be shown. */
export type SubscriptionState = 'stopped' | 'running' | 'halted' | 'rebuilding'

const failureBackoff = { base: 100, cap: 10_000 }

export class Subscription {
  readonly options: SubscriptionOptions
  readonly #store: Store
  readonly #signals: Signals
  readonly #follower: Follower
  readonly #retrying: Retrying
  readonly #waker = new Waker()
  readonly #progress = new Set<() => void>()
  #rebuildTo = 0
  #failures = 0
  #stopping = false
  #tidyAsked = false
  #abort = new AbortController()
  #loops: Promise<unknown> | undefined

  constructor(options: SubscriptionOptions, store: Store, signals: Signals) {
    this.options = options
    this.#store = store
    this.#signals = signals
    const { runtime } = store.tools
    const { name, retry, key, sink } = options
    const failing = { subscription: name, policy: retry, runtime, signals }
    const stepping = { name, keyed: key !== undefined, sink, store, failing }
    const toItem = (stored: StoredMessage): Item =>
      makeItem(stored, store.tools.codec, key ?? (() => ''))
    this.#retrying = new Retrying(stepping, {
      toItem,
      prepare: (item) => this.#prepareOne(item),
      settled: () => this.#retried(),
      concurrency: sink.prepare === undefined ? 1 : options.concurrency,
    })
    this.#follower = new Follower({
      ...options,
      ...stepping,
      toItem,
      waiting: () => this.#retrying.any,
      failed: () => this.#retrying.refresh(),
      stopping: () => this.#stopping,
      signal: () => this.#abort.signal,
      advanced: () => this.#advanced(),
    })
  }

  get name(): string {
    return this.options.name
  }

  /** Everything up to here is done, or waits in retries. */
  get position(): number {
    return this.#follower.cursor
  }

  get state(): SubscriptionState {
    if (this.#loops === undefined) return 'stopped'
    if (this.#rebuildTo > this.position) return 'rebuilding'
    return this.halted ? 'halted' : 'running'
  }

  /** Which rebuild of the view its position belongs to. */
  get generation(): number {
    return this.#follower.seen.generation
  }

  /** Positions up to which the view is not to be shown. */
  get rebuildTo(): number {
    return this.#rebuildTo
  }

  /** Whether failed messages are waiting for their next attempt. */
  get retrying(): boolean {
    return this.#retrying.due > 0
  }

  /** Whether it is one sequence that waits for a failed message; a rebuild may halt too. */
  get halted(): boolean {
    return this.options.key === undefined && this.#retrying.any
  }

  async start(): Promise<void> {
    this.#stopping = false
    this.#abort = new AbortController()
    if (this.options.from === 'now') await this.#beginNow()
    await this.#reload()
    this.#loops = Promise.all([this.#loop(), this.#retrying.loop(() => this.#stopping)])
  }

  /**
   * Begins nothing new; resolves when what is in hand is committed. When `deadline` resolves, what is still in hand is
   * aborted and given back: it will be done again, and no attempt is counted.
   */
  async stop(deadline: Promise<void>): Promise<void> {
    this.#stopping = true
    this.#waker.wake()
    this.#retrying.stop()
    void deadline.then(() => this.#abort.abort())
    await this.#loops
    if (this.#loops !== undefined) await this.#tidy().catch(() => undefined)
    this.#loops = undefined
    this.#notify()
  }

  /** Maybe there is more. */
  wake(): void {
    this.#waker.wake()
    this.#retrying.wake()
  }

  /** This process has committed something. */
  offer(commit: Commit): void {
    if (!this.#follower.passes(commit)) this.#waker.wake()
  }

  /** Asks it to look, when there is nothing else to do, what others did, and to store how far it has read. */
  askTidy(): void {
    this.#tidyAsked = true
    this.wake()
  }

  /** Calls `listener` whenever this subscription has come further or stopped; returns how to stop that. */
  onProgress(listener: () => void): () => void {
    this.#progress.add(listener)
    return () => void this.#progress.delete(listener)
  }

  /** Empties the view and reads the log again from its beginning. Resolves when that has begun. */
  async rebuild(): Promise<number> {
    const { name, sink } = this.options
    const through = await this.#store.transact(async (writer) => {
      await sink.clear?.(writer)
      return beginAnew(writer.transaction, name)
    })
    this.#signals.emit({ name: 'rebuild-started', subscription: name, through })
    await this.#reload()
    this.wake()
    return through
  }

  async #loop(): Promise<void> {
    while (!this.#stopping) {
      const more = await this.#guarded()
      if (!more && !this.#stopping && !this.#tidyAsked) await this.#waker.wait()
    }
  }

  /** One page; a failure of the database is waited out and never held against a message. */
  async #guarded(): Promise<boolean> {
    try {
      const more = !this.halted && (await this.#follower.page())
      if (!more && this.#tidyAsked) await this.#tidy()
      this.#failures = 0
      return more
    } catch (error) {
      await this.#failed(error)
      return true
    }
  }

  /** The first time, it begins behind everything that has happened so far. */
  #beginNow(): Promise<unknown> {
    return this.#store.transact(async ({ transaction: { checkpoints, events } }) => {
      if ((await checkpoints.load(this.name)) !== undefined) return
      const { generation } = await checkpoints.restart(this.name, 0)
      await checkpoints.move(this.name, { position: 0, generation }, await events.head())
    })
  }

  /** Sees what an operator or another process did, and stores how far it has read if that is further. */
  async #tidy(): Promise<void> {
    this.#tidyAsked = false
    const stored = await this.#load()
    const { position, generation } = this.#follower.seen
    if (stored?.rebuildAsked === true && this.options.sink.clear !== undefined) await this.rebuild()
    else if ((stored?.generation ?? 0) !== generation || (stored?.position ?? 0) !== position)
      await this.#reload()
    else {
      if (this.#retrying.any) await this.#retrying.refresh()
      if (!this.halted) await this.#follower.save()
    }
  }

  async #failed(error: unknown): Promise<void> {
    if (this.#stopping) return
    if (!isThenceError(error, 'CHECKPOINT_MOVED')) {
      this.#failures += 1
      const { runtime } = this.#store.tools
      const retryIn = fullJitter(failureBackoff, this.#failures, runtime.random())
      this.#signals.emit({ name: 'subscription-failed', subscription: this.name, retryIn, error })
      const cancel = runtime.after(retryIn, () => this.#waker.wake())
      this.#waker.clear()
      await this.#waker.wait()
      cancel()
    }
    await this.#reload().catch(() => undefined)
  }

  #advanced(): void {
    if (this.#rebuildTo > 0 && this.position >= this.#rebuildTo) {
      this.#signals.emit({
        name: 'rebuild-finished',
        subscription: this.name,
        through: this.#rebuildTo,
      })
      this.#rebuildTo = 0
      this.askTidy()
    }
    this.#notify()
  }

  #notify(): void {
    for (const listener of this.#progress) listener()
  }

  async #retried(): Promise<void> {
    if (this.options.key === undefined) await this.#reload()
    this.#notify()
    this.#waker.wake()
  }

  #load(): Promise<Checkpoint | undefined> {
    return this.#store.read(({ checkpoints }) => checkpoints.load(this.name))
  }

  async #reload(): Promise<void> {
    const stored = await this.#load()
    this.#follower.place(stored)
    this.#rebuildTo = stored?.rebuildTo ?? 0
    await this.#retrying.refresh()
  }

  async #prepareOne(item: Item): Promise<boolean> {
    const { prepare } = this.options.sink
    if (prepare === undefined) return true
    if (this.#stopping) return false
    return prepareOne(item, { prepare, signal: this.#abort.signal })
  }
}
