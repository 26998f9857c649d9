/**
 * One partition of a subscription under one lease: it reads a page, hands what is its own to the sink, moves its
 * checkpoint in the same transaction, and survives what fails. When the lease is taken from it, it ends by itself.
 */
import { isThenceError } from '../errors.ts'
import type { Pace } from '../handle/pace.ts'
import { classify } from '../handle/classify.ts'
import { fullJitter } from '../internal/backoff.ts'
import type { Signals } from '../observe/signals.ts'
import type { Checkpoint, Hold } from '../ports/checkpoints.ts'
import { turn, wait } from '../ports/wait.ts'
import type { Store } from '../store/store.ts'
import type { Commit } from '../store/writer.ts'
import type { Division } from './division.ts'
import { isDone } from './division.ts'
import { Follower } from './follower.ts'
import type { Item } from './item.ts'
import type { Pages } from './pages.ts'
import { prepareOne } from './prepare.ts'
import { Retrying } from './retrying.ts'
import type { Slots } from './slots.ts'
import type { SubscriptionSettings } from './settings.ts'
import { seenOf } from './stepping.ts'
import type { SubscriptionOptions } from './options.ts'
import { Telling } from './telling.ts'
import { Valve } from './valve.ts'
import { Waker } from './waker.ts'

/** What the partitions of a subscription share, and which one this is. */
export interface PartitionContext {
  readonly options: SubscriptionOptions
  readonly store: Store
  readonly signals: Signals
  readonly pages: Pages
  readonly slots: Slots
  readonly pace: Pace | undefined
  readonly division: Division
  readonly hold: Hold
  readonly toItem: (stored: Item['stored']) => Item
  /** It has come further, or stopped. */
  readonly progressed: () => void
  /** What is set for the subscription was changed here, by a failure. */
  readonly changed: (settings: SubscriptionSettings) => void
  /** An operator asked for a rebuild. */
  readonly rebuild: () => Promise<unknown>
}

const failureBackoff = { base: 100, cap: 10_000 }

export class Partition {
  readonly hold: Hold
  readonly #context: PartitionContext
  readonly #follower: Follower
  readonly #retrying: Retrying
  readonly #valve: Valve
  readonly #telling: Telling
  readonly #waker = new Waker()
  readonly #abort = new AbortController()
  #rebuildTo = 0
  #failures = 0
  #fenced = false
  #ended = false
  #tidyAsked = false
  #loops: Promise<unknown> | undefined

  constructor(context: PartitionContext) {
    this.#context = context
    this.hold = context.hold
    const { options, store, signals, pages, slots, division, hold } = context
    const { runtime } = store.tools
    const { name, part = name, retry, sink, rules = [], onFailure = 'park-key' } = options
    const { partitions } = division
    const valve = new Valve(runtime, context.pace)
    this.#valve = valve
    const telling = new Telling({ name, hold }, store, signals)
    this.#telling = telling
    const attempting = {
      valve,
      telling,
      classify: (error: unknown) => classify(error, ...rules),
      signal: this.#abort.signal,
    }
    const failing = {
      ...attempting,
      subscription: name,
      part,
      policy: retry,
      onFailure,
      runtime,
      signals,
      changed: context.changed,
    }
    const keyed = options.key !== undefined
    const isPast = (message: Parameters<typeof isDone>[1]): boolean => isDone(division, message)
    const stepping = { name, hold, keyed, isPast, sink, store, failing, telling }
    const share = { partition: hold.partition, partitions }
    const side = Math.floor(options.concurrency / partitions)
    this.#retrying = new Retrying(stepping, {
      share,
      toItem: context.toItem,
      valve,
      prepare: async (item, attempt) =>
        sink.prepare === undefined
          ? !valve.closed
          : prepareOne(item, { ...attempting, prepare: sink.prepare }, attempt),
      settled: () => this.#retried(),
      moved: () => this.reload(),
      concurrency: sink.prepare === undefined ? 1 : Math.max(1, side),
    })
    this.#follower = new Follower({
      ...options,
      ...stepping,
      slots,
      read: (after, limit) =>
        partitions === 1
          ? pages.read(after, limit)
          : pages.shared(after, limit * Math.min(partitions, 16)),
      isOwn: ({ hash, stored: { position } }) =>
        hash % partitions === hold.partition && !isPast({ hash, position }),
      waiting: () => this.#retrying.any,
      failed: () => this.#retrying.refresh(),
      attempting,
      advanced: () => this.#advanced(),
    })
  }

  /** Everything up to here is done, or waits in retries. */
  get position(): number {
    return this.#follower.cursor
  }

  /** Which rebuild of the view its position belongs to. */
  get generation(): number {
    return this.#follower.seen.generation
  }

  get rebuildTo(): number {
    return this.#rebuildTo
  }

  /** Whether failed messages are waiting for their next attempt. */
  get retrying(): boolean {
    return this.#retrying.due
  }

  /** How many messages its handler works on. */
  get inHand(): number {
    return this.#telling.inHand
  }

  /** Whether it is one sequence that waits for a failed message. */
  get halted(): boolean {
    return this.#context.options.key === undefined && this.#retrying.any
  }

  /** Whether another process has taken its lease: it has ended, and what it had in hand was not committed. */
  get fenced(): boolean {
    return this.#fenced
  }

  /** Whether it was stopped and has nothing in hand any more. */
  get ended(): boolean {
    return this.#ended
  }

  async start(): Promise<void> {
    await this.reload()
    this.#loops = Promise.all([
      this.#keep(() => this.#loop()),
      this.#keep(() => this.#retrying.loop()),
    ])
  }

  /** What a loop doesn't guard itself is told too, and the loop begun again: nothing here dies in silence. */
  async #keep(loop: () => Promise<void>): Promise<void> {
    while (!this.#valve.stopping)
      try {
        await loop()
      } catch (error) {
        const { store, signals, options } = this.#context
        const retryIn = failureBackoff.cap
        signals.emit({ name: 'subscription-failed', subscription: options.name, retryIn, error })
        await wait(store.tools.runtime, retryIn, this.#abort.signal).catch(() => undefined)
      }
  }

  /**
   * Begins nothing new; resolves when what is in hand is committed. When `deadline` resolves, what is still in hand is
   * aborted and given back: it will be done again, and no attempt is counted.
   */
  async stop(deadline: Promise<void>): Promise<void> {
    this.#end()
    void deadline.then(() => this.#abort.abort())
    await this.#loops
    if (!this.#fenced) await this.#tidy().catch(() => undefined)
    this.#ended = true
  }

  /** Maybe there is more. */
  wake(): void {
    this.#waker.wake()
    this.#retrying.wake()
  }

  /** Begins nothing new, or goes on. */
  pause(paused: boolean): void {
    this.#valve.pause(paused)
    this.wake()
  }

  /** This process has committed something. */
  offer(commit: Commit): void {
    if (!this.#follower.passes(commit)) this.#waker.wake()
  }

  /** Asks it to look, when there is nothing else to do, what others did, and to store how far it has read. */
  askTidy(): void {
    this.#tidyAsked = true
    this.#waker.wake()
    // Also while it is far behind, and so has never nothing else to do.
    this.#retrying.look()
  }

  /** Goes to where the store says it is; ends if the lease is no longer its own. */
  async reload(): Promise<void> {
    const stored = await this.#load()
    if ((stored?.epoch ?? 0) !== this.hold.epoch) return this.#fence()
    this.#follower.place(stored)
    this.#rebuildTo = stored?.rebuildTo ?? 0
    await this.#retrying.refresh()
  }

  #end(): void {
    this.#valve.stop()
    this.#waker.wake()
    this.#retrying.stop()
  }

  #fence(): void {
    if (this.#fenced) return
    this.#fenced = true
    this.#abort.abort()
    this.#end()
    const { options, signals } = this.#context
    signals.emit({ name: 'lease-lost', subscription: options.name, ...this.hold })
    this.#context.progressed()
  }

  async #loop(): Promise<void> {
    while (!this.#valve.stopping) {
      const { closed } = this.#valve
      const more = await this.#guarded()
      // A backlog must not keep timers, heartbeats among them, from running.
      if (more) await turn(this.#context.store.tools.runtime)
      else if (!this.#valve.stopping && !this.#tidyAsked) await this.#rest(closed)
    }
  }

  /** Until there may be more. */
  async #rest(closed: boolean): Promise<void> {
    const cancel = closed ? this.#valve.whenOpen(() => this.#waker.wake()) : () => undefined
    await this.#waker.wait()
    cancel()
  }

  /** One page; a failure of the database is waited out and never held against a message. */
  async #guarded(): Promise<boolean> {
    try {
      const more = !this.halted && !this.#valve.closed && (await this.#follower.page())
      if (!more && this.#tidyAsked) await this.#tidy()
      this.#recovered()
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
    const { options, rebuild } = this.#context
    if (stored?.rebuildAsked === true && options.sink.clear !== undefined) await rebuild()
    else if (this.#isElsewhere(stored)) await this.reload()
    else {
      if (this.#retrying.any) await this.#retrying.refresh()
      if (!this.halted) await this.#follower.save()
    }
  }

  /** Whether someone else has moved the checkpoint, begun a rebuild or taken the lease. */
  #isElsewhere(stored: Checkpoint | undefined): boolean {
    const { seen } = this.#follower
    const now = seenOf({ partition: seen.partition ?? 0, epoch: stored?.epoch ?? 0 }, stored)
    return (
      now.position !== seen.position ||
      now.generation !== seen.generation ||
      now.epoch !== seen.epoch
    )
  }

  #recovered(): void {
    const failures = this.#failures
    if (failures === 0) return
    this.#failures = 0
    const { signals, options } = this.#context
    signals.emit({ name: 'subscription-recovered', subscription: options.name, failures })
  }

  async #failed(error: unknown): Promise<void> {
    if (this.#valve.stopping) return
    if (!isThenceError(error, 'CHECKPOINT_MOVED')) {
      this.#failures += 1
      const { store, signals, options } = this.#context
      const { runtime } = store.tools
      const retryIn = fullJitter(failureBackoff, this.#failures, runtime.random())
      signals.emit({ name: 'subscription-failed', subscription: options.name, retryIn, error })
      const cancel = runtime.after(retryIn, () => this.#waker.wake())
      this.#waker.clear()
      await this.#waker.wait()
      cancel()
    }
    await this.reload().catch(() => undefined)
  }

  #advanced(): void {
    const { signals, options, progressed } = this.#context
    if (this.#rebuildTo > 0 && this.position >= this.#rebuildTo) {
      const through = this.#rebuildTo
      signals.emit({ name: 'rebuild-finished', subscription: options.name, through })
      this.#rebuildTo = 0
      this.askTidy()
    }
    progressed()
  }

  async #retried(): Promise<void> {
    if (this.#context.options.key === undefined) await this.reload()
    this.#context.progressed()
    this.#waker.wake()
  }

  #load(): Promise<Checkpoint | undefined> {
    const { store, options } = this.#context
    return store.read(({ checkpoints }) => checkpoints.load(options.name, this.hold.partition))
  }
}
