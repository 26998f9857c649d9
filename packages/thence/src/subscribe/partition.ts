/**
 * One partition of a subscription under one lease: it reads a page, hands what is its own to the sink, moves its
 * checkpoint in the same transaction, and survives what fails. When the lease is taken from it, it ends by itself.
 */
import { isThenceError } from '../errors.ts'
import type { Awaitable } from '../ports/awaitable.ts'
import type { Checkpoint, Hold } from '../ports/checkpoints.ts'
import type { Transaction } from '../ports/database.ts'
import { turn, wait } from '../ports/wait.ts'
import type { Commit } from '../store/writer.ts'
import type { Follower } from './follower.ts'
import type { Retrying } from './retrying.ts'
import { seenOf } from './stepping.ts'
import { failureBackoff, StoreFailures } from './store-failures.ts'
import { Telling } from './telling.ts'
import { Valve } from './valve.ts'
import { Waker } from './waker.ts'
import type { PartitionContext } from './wiring.ts'
import { wire } from './wiring.ts'

export class Partition {
  readonly hold: Hold
  readonly #context: PartitionContext
  readonly #follower: Follower
  readonly #retrying: Retrying
  readonly #valve: Valve
  readonly #telling: Telling
  readonly #waker = new Waker()
  readonly #abort = new AbortController()
  readonly #failures: StoreFailures
  #rebuildTo = 0
  /** Whether the store has to say where it is before anything is called: a page may be in memory while the store is away. */
  #unsure = false
  #fenced = false
  #ended = false
  #tidyAsked = false
  #loops: Promise<unknown> | undefined

  constructor(context: PartitionContext) {
    this.#context = context
    this.hold = context.hold
    const { options, store, signals, hold } = context
    this.#failures = new StoreFailures(options.name, signals, store.tools.runtime)
    this.#valve = new Valve(store.tools.runtime, context.pace)
    this.#telling = new Telling({ name: options.name, hold }, store, signals)
    const { follower, retrying } = wire(context, {
      valve: this.#valve,
      telling: this.#telling,
      signal: this.#abort.signal,
      advanced: () => this.#advanced(),
      retried: () => this.#retried(),
      moved: () => this.reload(),
    })
    this.#follower = follower
    this.#retrying = retrying
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

  /** Whether a call is in hand that takes longer than a second, so that only its key waits for it. */
  get slow(): boolean {
    return this.#retrying.isSlow
  }

  /** Whether its lease is no longer its own: it has ended, and what it had in hand was not committed. */
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
    ]).then(() => this.#retrying.finish())
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
    // Also while it is far behind, and so has never nothing else to do. One that is unsure reads that with its place.
    if (!this.#unsure) this.#retrying.look()
  }

  /** Goes to where the store says it is; ends if the lease is no longer its own. */
  async reload(): Promise<void> {
    // One read sees all that there is to see: after an outage all partitions do this at once.
    this.#tidyAsked = false
    const { stored, waiting } = await this.#context.store.read(async (transaction) => ({
      stored: await this.#stored(transaction),
      waiting: await this.#retrying.waiting(transaction),
    }))
    if ((stored?.epoch ?? 0) !== this.hold.epoch) return this.#fence(await this.#isWanted())
    if (this.#isRebuildAsked(stored)) this.#tidyAsked = true
    this.#follower.place(stored)
    this.#rebuildTo = stored?.rebuildTo ?? 0
    this.#retrying.plan(waiting)
  }

  #end(): void {
    this.#valve.stop()
    this.#failures.end()
    this.#waker.wake()
    this.#retrying.stop()
  }

  /** Nobody has taken over what is not to be run any more: it ends without a word. */
  #fence(wanted: boolean): void {
    if (this.#fenced) return
    this.#fenced = true
    this.#abort.abort()
    this.#end()
    const { options, signals } = this.#context
    if (wanted) signals.emit({ name: 'lease-lost', subscription: options.name, ...this.hold })
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
      if (this.#unsure) await this.reload()
      if (this.#valve.stopping) return false
      this.#unsure = false
      const more = !this.halted && !this.#valve.closed && (await this.#follower.page())
      if (!more && this.#tidyAsked) await this.#tidy()
      this.#failures.over()
      return more
    } catch (error) {
      await this.#failed(error)
      return true
    }
  }

  /** Sees what an operator or another process did, and stores how far it has read if that is further. */
  async #tidy(): Promise<void> {
    this.#tidyAsked = false
    const { store } = this.#context
    const stored = await store.read((reading) => this.#stored(reading), { apart: true })
    if (this.#isRebuildAsked(stored)) await this.#context.rebuild()
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

  async #failed(error: unknown): Promise<void> {
    if (this.#valve.stopping) return
    this.#unsure = true
    if (isThenceError(error, 'CHECKPOINT_MOVED')) return
    const retryIn = this.#failures.failed(error)
    const { runtime } = this.#context.store.tools
    const cancel = runtime.after(retryIn, () => this.#waker.wake())
    this.#waker.clear()
    await this.#waker.wait()
    cancel()
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

  async #isWanted(): Promise<boolean> {
    const { store, options } = this.#context
    return options.isWanted === undefined || store.read(options.isWanted)
  }

  #isRebuildAsked(stored: Checkpoint | undefined): boolean {
    return stored?.rebuildAsked === true && this.#context.options.sink.clear !== undefined
  }

  #stored({ checkpoints }: Transaction): Awaitable<Checkpoint | undefined> {
    return checkpoints.load(this.#context.options.name, this.hold.partition)
  }
}
