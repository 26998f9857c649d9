/**
 * The second loop of a subscription: messages that failed before and are due again, beside the healthy flow and never
 * ahead of an earlier message of their key.
 */
import { isThenceError } from '../errors.ts'
import { fullJitter } from '../internal/backoff.ts'
import { bytesOf } from '../internal/room.ts'
import type { Cancel } from '../ports/runtime.ts'
import type { StoredMessage } from '../ports/events.ts'
import { turn } from '../ports/wait.ts'
import type { Retry, Share } from '../ports/retries.ts'
import type { Item } from './item.ts'
import { messageOf } from './redrive.ts'
import type { Outcome } from '../store/lane.ts'
import { Lane } from '../store/lane.ts'
import { isMisplaced, takePlace } from './rekey.ts'
import type { Retried } from './retry-step.ts'
import { goesAlone, takeRetries } from './retry-step.ts'
import type { Stepping } from './stepping.ts'
import { refuseUnlessHeld } from './stepping.ts'
import type { Valve } from './valve.ts'
import { Waker } from './waker.ts'

export interface RetryingHooks {
  readonly toItem: (stored: StoredMessage) => Item
  /** Returns false if it may not begin, or the app gave up on it: then it stays as it is. */
  readonly prepare: (item: Item, attempt: 'first' | 'retry') => Promise<boolean>
  readonly valve: Valve
  /** The rows that this partition takes care of. */
  readonly share: Share
  /** How many keys are worked on side by side. */
  readonly concurrency: number
  /** The checkpoint, or the lease, is no longer what it was. */
  readonly moved: () => Promise<void>
  /** Something was settled: a key may be free again. */
  readonly settled: () => Promise<void>
}

/** Milliseconds. */
const lookEvery = 200
const failureBackoff = { base: 100, cap: 10_000 }

export class Retrying {
  readonly #stepping: Stepping
  readonly #hooks: RetryingHooks
  readonly #waker = new Waker()
  readonly #lane: Lane<Retried, void>
  #any = false
  /** When the next attempt is due, by `elapsed`: what is due, the clock of the database decides. */
  #next: number | null = null
  #failures = 0

  constructor(stepping: Stepping, hooks: RetryingHooks) {
    this.#stepping = stepping
    this.#hooks = hooks
    this.#lane = new Lane((all) => this.#settleTogether(all), stepping.store.tools.runtime)
  }

  /** Whether any message of this subscription waits. */
  get any(): boolean {
    return this.#any
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

  /** Reads what waits, and has the next attempt planned. */
  async refresh(): Promise<void> {
    await this.#look()
    this.wake()
  }

  async #look(): Promise<void> {
    const { store, name } = this.#stepping
    const { share } = this.#hooks
    const { any, wait } = await store.read(async ({ retries, timers }) => {
      const upcoming = await retries.upcoming(name, share)
      const { next } = upcoming
      return { any: upcoming.any, wait: next === null ? null : next - (await timers.now()) }
    })
    this.#any = any
    this.#next = wait === null ? null : store.tools.runtime.elapsed() + wait
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
      this.#recovered()
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
    this.#failures += 1
    const { store, name, failing } = this.#stepping
    const { runtime } = store.tools
    const retryIn = fullJitter(failureBackoff, this.#failures, runtime.random())
    failing.signals.emit({ name: 'subscription-failed', subscription: name, retryIn, error })
    this.#next = runtime.elapsed() + retryIn
  }

  #recovered(): void {
    const failures = this.#failures
    if (failures === 0) return
    this.#failures = 0
    const { name, failing } = this.#stepping
    failing.signals.emit({ name: 'subscription-recovered', subscription: name, failures })
  }

  /** Takes what is due until nothing is; different keys side by side, so that a slow one holds up only itself. */
  async #drain(): Promise<void> {
    const { valve } = this.#hooks
    // Most looks find nothing that is due: one read, not two.
    if (!this.due) await this.#look()
    if (!this.due) return
    const inHand = new Map<string, Promise<void>>()
    const failures: unknown[] = []
    for (;;) {
      const rows = valve.closed || failures.length > 0 ? [] : await this.#takeDue(inHand)
      for (const row of rows) {
        const work = this.#one(row)
          .catch((error: unknown) => void failures.push(error))
          .finally(() => inHand.delete(row.key))
        inHand.set(row.key, work)
      }
      if (inHand.size === 0) break
      await this.#anySettled(inHand)
      await turn(this.#stepping.store.tools.runtime)
    }
    if (failures.length > 0) throw failures[0]
    await this.#look()
  }

  /** Resolves when one in hand is done, or after a moment: others may have become due beside a slow one. */
  async #anySettled(inHand: ReadonlyMap<string, Promise<void>>): Promise<void> {
    const moment = Promise.withResolvers<void>()
    const cancel = this.#stepping.store.tools.runtime.after(lookEvery, moment.resolve)
    await Promise.race([...inHand.values(), moment.promise])
    cancel()
  }

  async #takeDue(inHand: ReadonlyMap<string, unknown>): Promise<readonly Retry[]> {
    const { store, name } = this.#stepping
    const room = this.#hooks.concurrency - inHand.size
    if (room <= 0) return []
    const { concurrency, share } = this.#hooks
    const limit = concurrency + inHand.size
    const rows = await store.read(async ({ retries, timers }) =>
      retries.take(name, { now: await timers.now(), limit, share }),
    )
    const keys = new Set<string>(inHand.keys())
    // At most one of each key: the others of a key wait behind it anyway.
    return rows.filter(({ key }) => !keys.has(key) && keys.add(key)).slice(0, room)
  }

  async #one(row: Retry): Promise<void> {
    const { store, name } = this.#stepping
    const { stored, checkpoint } = await store.read(async (transaction) => ({
      stored: await messageOf(transaction, row),
      checkpoint: await transaction.checkpoints.load(name, this.#stepping.hold.partition),
    }))
    if (stored === undefined) return this.#gone(row)
    const read = this.#hooks.toItem(stored)
    const item: Item = {
      ...read,
      // What can't be read has no key of its own.
      ...(read.message === undefined ? { key: row.key, hash: row.hash } : {}),
      replaying: row.replay === true,
      attempt: row.attempts + 1,
    }
    // A key that is another one at each look has no place.
    const isMoved = isMisplaced(this.#stepping, { row, item })
    if (isMoved && this.#hooks.toItem(stored).key === item.key) return this.#takePlace(row, item)
    if (!(await this.#hooks.prepare(item, row.attempts > 0 ? 'retry' : 'first'))) return
    await this.#settle({ row, item, checkpoint }, bytesOf(stored))
    await this.#hooks.settled()
  }

  /** It is tried there, maybe by another partition. */
  async #takePlace(row: Retry, item: Item): Promise<void> {
    await takePlace(this.#stepping, { row, item, partitions: this.#hooks.share.partitions })
    await this.#hooks.settled()
  }

  /** Shares a commit with others that are done at the same time. */
  async #settle(retried: Retried, bytes: number): Promise<void> {
    if (goesAlone(this.#stepping, retried)) return this.#settleAlone(retried)
    try {
      await this.#lane.add(retried, bytes)
    } catch (error) {
      if (!isThenceError(error, 'TRANSACTION_TIMEOUT')) throw error
      await this.#settleAlone(retried)
    }
  }

  async #settleAlone(retried: Retried): Promise<void> {
    try {
      await takeRetries(this.#stepping, [retried])
    } catch (error) {
      // It was alone in its transaction: that the transaction hung is its own failure.
      if (!isThenceError(error, 'TRANSACTION_TIMEOUT')) throw error
      retried.item.failure = { error }
      await takeRetries(this.#stepping, [retried])
    }
  }

  async #settleTogether(all: readonly Retried[]): Promise<readonly Outcome<void>[]> {
    await takeRetries(this.#stepping, all)
    return all.map(() => ({ value: undefined }))
  }

  /** Its message is no longer in the log: there is nothing left to try. */
  async #gone(row: Retry): Promise<void> {
    const { store } = this.#stepping
    await store.transact(async (writer) => {
      await refuseUnlessHeld(this.#stepping, writer)
      const { retries, timers } = writer.transaction
      await retries.settle(row, await timers.now())
    })
  }
}
