/**
 * The second loop of a subscription: messages that failed before and are due again, beside the healthy flow and never
 * ahead of an earlier message of their key.
 */
import { isThenceError } from '../errors.ts'
import type { Cancel } from '../ports/runtime.ts'
import type { Checkpoint } from '../ports/checkpoints.ts'
import type { Transaction } from '../ports/database.ts'
import { turn } from '../ports/wait.ts'
import type { Retry } from '../ports/retries.ts'
import { InHand } from './in-hand.ts'
import type { Item } from './item.ts'
import type { KeysInHand } from './keys-in-hand.ts'
import { slowAfter } from './prepare.ts'
import type { LoadingHooks } from './row-item.ts'
import { loadRow } from './row-item.ts'
import { Settling } from './settling.ts'
import type { Stepping } from './stepping.ts'
import { StoreFailures } from './store-failures.ts'
import type { Valve } from './valve.ts'
import { Waker } from './waker.ts'

export interface RetryingHooks extends LoadingHooks {
  /**
   * Gives what was loaded and prepared; nothing if it may not begin, or the app gave up on it: then it stays as it is. Calls
   * `began` when the call begins.
   */
  readonly prepare: (
    load: () => Promise<Item | undefined>,
    attempt: 'first' | 'retry',
    began: () => void,
  ) => Promise<Item | undefined>
  readonly valve: Valve
  /** How many keys may be in hand. */
  readonly concurrency: number
  /** What is in hand on its first way: rows of these keys wait for that. */
  readonly keys: KeysInHand
  /** The checkpoint, or the lease, is no longer what it was. */
  readonly moved: () => Promise<void>
}

/** What waits in a partition's share. */
export interface Waiting {
  /** Whether anything of the subscription does. */
  readonly any: boolean
  /** Until the next attempt, in milliseconds; null if none is to come. */
  readonly wait: number | null
}

/** Milliseconds. */
const lookEvery = 200

export class Retrying {
  readonly #stepping: Stepping
  readonly #hooks: RetryingHooks
  readonly #waker = new Waker()
  readonly #settling: Settling
  readonly #inHand = new InHand()
  readonly #failures: StoreFailures
  /** Whether something that is due waits for what is in hand on its first way. */
  #heldBack = false
  #any = false
  /** When the next attempt is due, by `elapsed`: what is due, the clock of the database decides. */
  #next: number | null = null

  constructor(stepping: Stepping, hooks: RetryingHooks) {
    this.#stepping = stepping
    this.#hooks = hooks
    this.#settling = new Settling(stepping)
    const { name, failing, store } = stepping
    this.#failures = new StoreFailures(name, failing.signals, store.tools.runtime)
  }

  /** Whether any message of this subscription waits. */
  get any(): boolean {
    return this.#any
  }

  /** Whether a message of this subscription may wait, or has just ceased to. */
  get mayWait(): boolean {
    return this.#any || this.#inHand.size > 0
  }

  /** Whether any message of this partition waits for its next attempt. */
  get due(): boolean {
    return this.#next !== null
  }

  wake(): void {
    if (this.#any) this.#waker.wake()
  }

  /** Has the loop look for what others did: rows may be there that this process does not know of. */
  look(): void {
    this.#waker.wake()
  }

  /** Keys of this partition are free again. */
  freed(): void {
    if (this.#heldBack) this.#waker.wake()
  }

  /** Whether a call is in hand that takes longer than a second. */
  get isSlow(): boolean {
    const { runtime } = this.#stepping.store.tools
    return this.#inHand.hasSince(runtime.elapsed() - slowAfter)
  }

  /** Whether a call of the key is in hand here. */
  isCalled(key: string): boolean {
    return this.#inHand.has(key)
  }

  /**
   * Looks after a call that goes on: what comes of it is committed against the row of its message, which that has by now or
   * gets before anything else of its key is begun.
   */
  adopt(item: Item, call: Promise<boolean>): void {
    this.#inHand.hold(item.key, this.#finish(item, call))
    // It takes long already.
    this.#inHand.begin(item.key, -Infinity)
    this.#waker.wake()
  }

  /** Resolves when nothing is in hand. */
  finish(): Promise<void> {
    return this.#inHand.empty()
  }

  /** Reads what waits, and has the next attempt planned. */
  async refresh(): Promise<void> {
    this.plan(await this.#stepping.store.read((transaction) => this.waiting(transaction)))
  }

  /** What waits, for who reads something else too. */
  async waiting({ retries, timers }: Transaction): Promise<Waiting> {
    const { any, next } = await retries.upcoming(this.#stepping.name, this.#hooks.share)
    return { any, wait: next === null ? null : next - (await timers.now()) }
  }

  /** Has the next attempt planned by what was read just now. */
  plan(waiting: Waiting): void {
    this.#take(waiting)
    this.wake()
  }

  #take({ any, wait }: Waiting): void {
    this.#any = any
    this.#next = wait === null ? null : this.#stepping.store.tools.runtime.elapsed() + wait
  }

  async #look(): Promise<void> {
    this.#take(await this.#stepping.store.read((transaction) => this.waiting(transaction)))
  }

  async loop(): Promise<void> {
    const { valve } = this.#hooks
    while (!valve.stopping) {
      const cancel = this.#plan()
      await this.#waker.wait()
      cancel()
      if (!valve.stopping) await this.#guarded()
    }
  }

  /** Makes the loop look whether it is to stop. */
  stop(): void {
    this.#failures.end()
    this.#waker.wake()
  }

  #plan(): Cancel {
    const { runtime } = this.#stepping.store.tools
    const wake = (): void => this.#waker.wake()
    if (this.#next === null) return () => undefined
    if (this.#hooks.valve.closed) return this.#hooks.valve.whenOpen(wake)
    return runtime.after(Math.max(0, this.#next - runtime.elapsed()), wake)
  }

  async #guarded(): Promise<void> {
    try {
      await this.#drain()
      this.#failures.over()
    } catch (error) {
      await this.#failed(error)
    }
  }

  async #failed(error: unknown): Promise<void> {
    try {
      // The look at where the checkpoint is now can fail like any other.
      if (isThenceError(error, 'CHECKPOINT_MOVED')) await this.#hooks.moved()
      else this.#waitAfter(error)
    } catch (failure) {
      this.#waitAfter(failure)
    }
  }

  #waitAfter(error: unknown): void {
    const { runtime } = this.#stepping.store.tools
    this.#next = runtime.elapsed() + this.#failures.failed(error)
  }

  /** Takes what is due until nothing is; different keys side by side, so that a slow one holds up only itself. */
  async #drain(): Promise<void> {
    const { runtime } = this.#stepping.store.tools
    // Most looks find nothing that is due: one read, not two.
    if (!this.due) await this.#look()
    if (!this.due && this.#inHand.size === 0) return
    for (;;) {
      for (const row of await this.#takeDue()) this.#inHand.hold(row.key, this.#one(row))
      this.#inHand.throwFirst()
      if (this.#inHand.size === 0) break
      // Others may become due beside a slow one.
      await this.#inHand.change((wake) => runtime.after(lookEvery, wake))
      this.#inHand.throwFirst()
      await turn(runtime)
    }
    await this.#look()
    // They are told when they may go.
    if (this.#heldBack && this.#next !== null)
      this.#next = Math.max(this.#next, runtime.elapsed() + lookEvery)
  }

  async #takeDue(): Promise<readonly Retry[]> {
    this.#heldBack = false
    const { store, name } = this.#stepping
    const { concurrency, share, keys, valve } = this.#hooks
    const room = concurrency - this.#inHand.size
    if (room <= 0 || valve.closed) return []
    // One of each key: so many at most are not free.
    const limit = room + this.#inHand.size + keys.size
    const rows = await store.read(async ({ retries, timers }) =>
      retries.take(name, { now: await timers.now(), limit, share }),
    )
    this.#heldBack = rows.some(({ key }) => keys.has(key))
    const isFree = ({ key }: Retry): boolean => !keys.has(key) && !this.#inHand.has(key)
    return rows.filter(isFree).slice(0, room)
  }

  async #finish(item: Item, call: Promise<boolean>): Promise<void> {
    if (!(await call) || item.passedOver === true) return
    const { store, name, hold } = this.#stepping
    const { position } = item.stored
    const { row, checkpoint } = await store.read(async ({ retries, checkpoints }) => ({
      row: await retries.find(name, position),
      checkpoint: await checkpoints.load(name, hold.partition),
    }))
    // An earlier row of its key came up while it was in hand: it is called again after that.
    if (row?.state !== 'due' || row.attempts > 0) return
    await this.#settling.settle({ row, item, checkpoint })
    await this.#hooks.settled()
  }

  async #one(row: Retry): Promise<void> {
    const { prepare, settled } = this.#hooks
    const { runtime } = this.#stepping.store.tools
    let checkpoint: Checkpoint | undefined
    const load = async (): Promise<Item | undefined> => {
      const loaded = await loadRow(this.#stepping, row, this.#hooks)
      checkpoint = loaded?.checkpoint
      return loaded?.item
    }
    const item = await prepare(load, row.attempts > 0 ? 'retry' : 'first', () =>
      this.#inHand.begin(row.key, runtime.elapsed()),
    )
    if (item === undefined) return
    await this.#settling.settle({ row, item, checkpoint })
    await settled()
  }
}
