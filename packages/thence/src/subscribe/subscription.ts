/**
 * A reader that remembers its checkpoint: the one engine behind projections, handlers, sagas and recorded commands. It is
 * divided into partitions by key; this process runs those whose lease it holds, and knows of the others what is stored.
 */
import { Pace } from '../handle/pace.ts'
import type { Signals } from '../observe/signals.ts'
import type { Checkpoint, Hold } from '../ports/checkpoints.ts'
import type { Store } from '../store/store.ts'
import type { Commit } from '../store/writer.ts'
import { beginAnew } from './anew.ts'
import type { Division } from './division.ts'
import { isDone, lackingTypes, undivided } from './division.ts'
import { isFit, tellUnfit } from './fit.ts'
import type { Item } from './item.ts'
import { toItem } from './item.ts'
import { Pages } from './pages.ts'
import { Partition } from './partition.ts'
import { Places } from './places.ts'
import type { SubscriptionOptions } from './options.ts'
import type { SubscriptionSettings } from './settings.ts'
import { Slots } from './slots.ts'

/**
 * `paused`: an operator, or a failure, has it begin nothing new. `standby`: another process runs it. `halted`: one sequence that waits for a failed message. `rebuilding`: its view is
 * not to be shown.
 */
export type SubscriptionState =
  | 'stopped'
  | 'paused'
  | 'standby'
  | 'running'
  | 'halted'
  | 'rebuilding'

export class Subscription {
  readonly options: SubscriptionOptions
  readonly #store: Store
  readonly #signals: Signals
  readonly #pages: Pages
  readonly #slots: Slots
  readonly #pace: Pace | undefined
  readonly #toItem: (stored: Item['stored']) => Item
  readonly #progress = new Set<() => void>()
  readonly #places = new Places<Partition>()
  #division: Division = undivided
  #settings: SubscriptionSettings = {}
  #revision = 0
  #started = false
  #ending = false

  constructor(options: SubscriptionOptions, store: Store, signals: Signals) {
    this.options = options
    this.#store = store
    this.#signals = signals
    const { key = () => '', concurrency } = options
    this.#toItem = (stored) => toItem(stored, store.tools.codec, key)
    this.#pages = new Pages(store, options, this.#toItem)
    this.#slots = new Slots(concurrency)
    this.#pace = this.#paceOf()
  }

  get name(): string {
    return this.options.name
  }

  get division(): Division {
    return this.#division
  }

  /** Types that belong to it and that this process does without, so that it does not run it. */
  get lacks(): readonly string[] {
    return lackingTypes(this.#division, this.options.types)
  }

  /** Whether this process may run it: it passes nothing over, and knows what belongs together. */
  get isFit(): boolean {
    return isFit(this.#division, this.options)
  }

  /** The partitions that this process runs. */
  get running(): readonly Partition[] {
    return this.#places.running
  }

  /** Whether this process runs all of it, so that what it says is not old. */
  get isHere(): boolean {
    return this.#places.size === this.#division.partitions
  }

  /** Everything up to here is done, or waits in retries; of another process: as far as it has been noticed. */
  get position(): number {
    return this.#places.least('position', this.#division.partitions)
  }

  get state(): SubscriptionState {
    if (!this.#started) return 'stopped'
    if (this.rebuildTo > this.position) return 'rebuilding'
    if (this.paused) return 'paused'
    if (this.halted) return 'halted'
    return this.#places.size === 0 ? 'standby' : 'running'
  }

  /** Which rebuild of the view its position belongs to. */
  get generation(): number {
    return this.#places.least('generation', this.#division.partitions)
  }

  /** Positions up to which the view is not to be shown. */
  get rebuildTo(): number {
    return this.#places.least('rebuildTo', this.#division.partitions)
  }

  /** Whether failed messages are waiting for their next attempt. */
  get retrying(): boolean {
    return this.running.some(({ retrying }) => retrying)
  }

  /** How many messages its handler works on in this process. */
  get inHand(): number {
    return this.running.reduce((sum, partition) => sum + partition.inHand, 0)
  }

  /** Whether it is one sequence that waits for a failed message; a rebuild may halt too. */
  get halted(): boolean {
    return this.running.some(({ halted }) => halted)
  }

  /** Whether it begins nothing new, as far as this process knows. */
  get paused(): boolean {
    return this.#settings.paused !== undefined
  }

  /** Whether it will not come further before the app has stopped. */
  get stuck(): boolean {
    return this.#ending && (this.paused || (this.halted && !this.retrying))
  }

  /** Grows with every change of its settings that this process makes or sees: what was read before one is old. */
  get revision(): number {
    return this.#revision
  }

  /** Whether a message of its types is for this partition, and was not done before it was divided. */
  concerns(stored: Item['stored'], partition: number): boolean {
    const { partitions } = this.#division
    const { hash } = this.#toItem(stored)
    if (hash % partitions !== partition) return false
    return !isDone(this.#division, { hash, position: stored.position })
  }

  /** From now on it may be given partitions to run. */
  start(): void {
    this.#started = true
  }

  /** Runs a partition whose lease this process has taken. */
  async begin(hold: Hold): Promise<void> {
    const partition = new Partition({
      options: this.options,
      store: this.#store,
      signals: this.#signals,
      pages: this.#pages,
      slots: this.#slots,
      pace: this.#pace,
      division: this.#division,
      hold,
      toItem: this.#toItem,
      progressed: () => this.#notify(),
      changed: (settings) => this.set(settings),
      rebuild: () => this.rebuild(),
    })
    partition.pause(this.paused)
    this.#places.begin(partition)
    try {
      await partition.start()
    } catch (error) {
      this.#places.end(partition)
      throw error
    }
    this.#notify()
  }

  /** Ends one partition when what it has in hand is committed, or given back at the deadline. */
  async end(partition: Partition, deadline: Promise<void>): Promise<void> {
    await partition.stop(deadline)
    this.#places.end(partition)
    this.#notify()
  }

  /** Ends all that it runs; see {@link Partition.stop}. */
  async stop(deadline: Promise<void>): Promise<void> {
    await Promise.all(this.running.map((partition) => partition.stop(deadline)))
    this.#started = false
    this.#notify()
  }

  /** The app stops: whoever waits for what will not happen before that is told so. */
  endWaits(): void {
    this.#ending = true
    this.#notify()
  }

  /** What is stored of it; gives whether it was divided anew, so that nothing that runs is right any more. */
  observe(division: Division, stored: readonly Checkpoint[]): boolean {
    const isOld = JSON.stringify(division) !== JSON.stringify(this.#division)
    this.#division = division
    this.#places.see(stored)
    if (isOld) tellUnfit(this.#signals, division, this.options)
    if (!this.isHere) this.#notify()
    return isOld
  }

  /** What is set for it now. */
  set(settings: SubscriptionSettings): void {
    const before = this.paused
    this.#settings = settings
    this.#revision += 1
    if (before === this.paused) return
    for (const partition of this.running) partition.pause(this.paused)
    this.#tellPause(settings)
    this.#notify()
  }

  #tellPause({ paused }: SubscriptionSettings): void {
    const subscription = this.name
    if (paused === undefined) this.#signals.emit({ name: 'subscription-resumed', subscription })
    else
      this.#signals.emit({
        name: 'subscription-paused',
        subscription,
        reason: paused.reason,
        actor: paused.actor,
      })
  }

  /** A stored message as this subscription takes it. */
  item(stored: Item['stored']): Item {
    return this.#toItem(stored)
  }

  /** Maybe there is more. */
  wake(): void {
    for (const partition of this.running) partition.wake()
  }

  /** This process has committed something. */
  offer(commit: Commit): void {
    for (const partition of this.running) partition.offer(commit)
  }

  /** Asks it to look, when there is nothing else to do, what others did, and to store how far it has read. */
  askTidy(): void {
    for (const partition of this.running) partition.askTidy()
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
    await this.reload()
    return through
  }

  /** Goes to where the store says it is, because someone else has moved it. */
  async reload(): Promise<void> {
    for (const partition of this.running) await partition.reload()
    this.wake()
  }

  #paceOf(): Pace | undefined {
    const { name, pace, concurrency } = this.options
    if (pace === undefined) return undefined
    return new Pace({ ...pace, concurrency }, this.#store.tools.runtime, (news) =>
      this.#signals.emit({ ...news, subscription: name }),
    )
  }

  #notify(): void {
    for (const listener of this.#progress) listener()
  }
}
