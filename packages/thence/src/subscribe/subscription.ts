/**
 * A reader that remembers its checkpoint: the one engine behind projections, handlers, sagas and recorded commands. It
 * reads a page, hands it to its sink, moves its checkpoint in the same transaction, and survives what fails.
 */
import { isThenceError } from '../errors.ts'
import { fullJitter } from '../internal/backoff.ts'
import type { Recorded } from '../message/message.ts'
import type { RetryPolicy } from '../handle/retry.ts'
import type { Signals } from '../observe/signals.ts'
import type { Checkpoint, Seen } from '../ports/checkpoints.ts'
import type { StoredMessage } from '../ports/events.ts'
import type { Store } from '../store/store.ts'
import type { Commit } from '../store/writer.ts'
import type { Item } from './item.ts'
import { toItem } from './item.ts'
import { prepareAll, prepareOne } from './prepare.ts'
import { Retrying } from './retrying.ts'
import type { Sink } from './sink.ts'
import type { Stepping } from './step.ts'
import { takeStep } from './step.ts'
import { Waker } from './waker.ts'

export interface SubscriptionOptions {
  readonly name: string
  /** Types of messages it reads. */
  readonly types: readonly string[]
  /** Messages with the same key are handled in order, and only they wait for one that failed. Absent: one sequence. */
  readonly key?: ((message: Recorded) => string) | undefined
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
  readonly #stepping: Stepping
  readonly #retrying: Retrying
  readonly #waker = new Waker()
  readonly #progress = new Set<() => void>()
  /** The stored checkpoint, as far as this process knows. */
  #seen: Seen = { position: 0, generation: 0 }
  /** Read up to here; what lies between it and the checkpoint was not for this subscription. */
  #cursor = 0
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
    this.#stepping = { name, keyed: key !== undefined, sink, store, failing }
    this.#retrying = new Retrying(this.#stepping, {
      toItem: (stored) => this.#item(stored),
      prepare: (item) => this.#prepareOne(item),
      settled: () => this.#retried(),
    })
  }

  get name(): string {
    return this.options.name
  }

  /** Everything up to here is done, or waits in retries. */
  get position(): number {
    return this.#cursor
  }

  get state(): SubscriptionState {
    if (this.#loops === undefined) return 'stopped'
    if (this.#rebuildTo > this.#cursor) return 'rebuilding'
    return this.#halted ? 'halted' : 'running'
  }

  /** Positions up to which the view is not to be shown. */
  get rebuildTo(): number {
    return this.#rebuildTo
  }

  /** Whether failed messages are waiting for their next attempt. */
  get retrying(): boolean {
    return this.#retrying.due > 0
  }

  get #halted(): boolean {
    return this.options.key === undefined && this.#retrying.any
  }

  async start(): Promise<void> {
    this.#stopping = false
    this.#abort = new AbortController()
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

  /**
   * This process has committed something. If all before it was read and nothing of it is for this subscription, it is
   * read already; else there is more.
   */
  offer({ from, to, types }: Commit): void {
    if (this.#cursor !== from - 1 || this.options.types.some((type) => types.has(type)))
      return this.#waker.wake()
    this.#cursor = to
    this.#advanced()
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
      const { checkpoints, retries, events } = writer.transaction
      const head = await events.head()
      await sink.clear?.(writer)
      await retries.clear(name)
      await checkpoints.restart(name, head)
      return head
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
      const more = await this.#page()
      if (!more && this.#tidyAsked) await this.#tidy()
      this.#failures = 0
      return more
    } catch (error) {
      await this.#failed(error)
      return true
    }
  }

  /** Sees what an operator or another process did, and stores how far it has read if that is further. */
  async #tidy(): Promise<void> {
    this.#tidyAsked = false
    const stored = await this.#load()
    const { position, generation } = this.#seen
    if (stored?.rebuildAsked === true && this.options.sink.clear !== undefined) await this.rebuild()
    else if ((stored?.generation ?? 0) !== generation || (stored?.position ?? 0) !== position)
      await this.#reload()
    else {
      if (this.#retrying.any) await this.#retrying.refresh()
      if (this.#cursor > position && !this.#halted) await this.#move([], this.#cursor)
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

  async #page(): Promise<boolean> {
    if (this.#halted) return false
    const { types, batch } = this.options
    const page = await this.#store.read(({ events }) =>
      events.readAll({ query: [{ types }], after: this.#cursor, limit: batch }),
    )
    if (page.messages.length === 0) {
      const further = page.through > this.#cursor
      this.#cursor = Math.max(this.#cursor, page.through)
      if (further) this.#advanced()
      return false
    }
    const items = page.messages.map((stored) => this.#item(stored))
    if (this.options.sink.prepare === undefined) await this.#move(items, page.through)
    else await this.#prepareThenMove(items, page.through)
    return true
  }

  /** Effects are committed in order of position, as soon as everything before them is settled. */
  async #prepareThenMove(items: readonly Item[], through: number): Promise<void> {
    const blocked = await this.#blocked(items)
    const settled = new Set(items.filter(({ key }) => blocked.has(key)))
    const arrived = new Waker()
    let finished = false
    const preparing = prepareAll(
      items.filter((item) => !settled.has(item)),
      {
        prepare: this.options.sink.prepare as NonNullable<Sink['prepare']>,
        concurrency: this.options.concurrency,
        signal: this.#abort.signal,
        stopping: () => this.#stopping,
        settled: (item) => {
          settled.add(item)
          arrived.wake()
        },
      },
    ).then(() => {
      finished = true
      arrived.wake()
    })
    let done = 0
    while (done < items.length) {
      let end = done
      while (end < items.length && settled.has(items[end] as Item)) end += 1
      if (end === done && finished) break
      if (end === done) await arrived.wait()
      else {
        const last = items[end - 1] as Item
        await this.#move(
          items.slice(done, end),
          end === items.length ? through : last.stored.position,
        )
        done = end
      }
    }
    await preparing
  }

  async #blocked(items: readonly Item[]): Promise<Set<string>> {
    if (!this.#retrying.any) return new Set()
    const keys = [...new Set(items.map(({ key }) => key))]
    return new Set(await this.#store.read(({ retries }) => retries.blocked(this.name, keys)))
  }

  /** First all in one go; if something throws, again with a savepoint for each. */
  async #move(items: readonly Item[], through: number): Promise<void> {
    const page = { items, seen: this.#seen, through, mayBlock: this.#retrying.any }
    const step = await takeStep(this.#stepping, { ...page, careful: false }).catch(
      (error: unknown) => {
        if (items.length === 0 || isThenceError(error, 'CHECKPOINT_MOVED')) throw error
        return takeStep(this.#stepping, { ...page, careful: true })
      },
    )
    this.#seen = { ...this.#seen, position: step.position }
    this.#cursor = step.position
    if (step.failed) await this.#retrying.refresh()
    this.#advanced()
  }

  #advanced(): void {
    if (this.#rebuildTo > 0 && this.#cursor >= this.#rebuildTo) {
      this.#signals.emit({
        name: 'rebuild-finished',
        subscription: this.name,
        through: this.#rebuildTo,
      })
      this.#rebuildTo = 0
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
    this.#seen = { position: stored?.position ?? 0, generation: stored?.generation ?? 0 }
    this.#cursor = this.#seen.position
    this.#rebuildTo = stored?.rebuildTo ?? 0
    await this.#retrying.refresh()
  }

  #item(stored: StoredMessage): Item {
    return toItem(stored, this.#store.tools.codec, this.options.key ?? (() => ''))
  }

  async #prepareOne(item: Item): Promise<boolean> {
    const { prepare } = this.options.sink
    if (prepare === undefined) return true
    return prepareOne(item, { prepare, signal: this.#abort.signal })
  }
}
