/**
 * Messages that a subscription has taken past its checkpoint without being done: failed and due again, parked, set aside
 * because their call takes long, or waiting behind one of those because they share its key. Kept in the store, so that
 * attempts survive a restart and memory stays bounded however long the queue behind a parked message grows.
 */
import type { Awaitable } from './awaitable.ts'

/**
 * `due`: to be tried at `due`. `parked`: a dead letter blocks the key until someone redrives or discards it.
 * `queued`: waits behind an earlier message of its key.
 */
export type RetryState = 'due' | 'parked' | 'queued'

export interface Attempt {
  /** Unix milliseconds. */
  readonly time: number
  readonly error: string
}

export interface Retry {
  readonly subscription: string
  readonly key: string
  /** Of the key, a whole number from 0: `hash % partitions` is the partition that takes care of the key. */
  readonly hash: number
  readonly position: number
  readonly messageId: string
  readonly state: RetryState
  /** Failed attempts so far. */
  readonly attempts: number
  /** Unix milliseconds by the database's clock; 0 while queued or parked. */
  readonly due: number
  /** The latest attempts, oldest first. */
  readonly history: readonly Attempt[]
  /** It was done before, and is given to its handler again on purpose. Default false. */
  readonly replay?: boolean
}

/** The rows that one of several partitions takes care of. */
export interface Share {
  readonly partition: number
  readonly partitions: number
}

export interface TakeRetries {
  /** Unix milliseconds by the database's clock, as `Timers.now` tells it. */
  readonly now: number
  readonly limit: number
  /** Default: the rows of all partitions. */
  readonly share?: Share
}

/**
 * Rows are unique by (subscription, position).
 * - `put` inserts or replaces a row. A row that is put as `queued` though no earlier row of its key exists is stored
 *   as `due` now: nothing may wait behind nothing.
 * - `take` returns rows with state `due` and `due` ≤ now, of each key only the one with the least position, by due time,
 *   then position: however many of one key are due, they keep nothing of other keys from being taken.
 * - `parkedBefore` gives the first parked row of the key before the position: the one at it is not tried before a person has
 *   done something about that. It does not look at the rows that wait between them.
 * - `outlook` counts one subscription's rows; its cost may grow with them.
 * - `upcoming` doesn't: it is asked for after every page, also while a million messages wait behind a parked one.
 * - `settle` removes the row and makes the next row of the same key `due` at `now` if it was queued. It returns false,
 *   and changes nothing, unless the row is there with exactly `attempts`: that is its compare-and-set.
 */
export interface Retries {
  put(row: Retry): Awaitable<void>
  take(subscription: string, options: TakeRetries): Awaitable<readonly Retry[]>
  outlook(subscription: string): Awaitable<RetrySummary>
  /** Default share: the rows of all partitions. */
  upcoming(subscription: string, share?: Share): Awaitable<Upcoming>
  settle(
    row: Pick<Retry, 'subscription' | 'position' | 'attempts'>,
    now: number,
  ): Awaitable<boolean>
  find(subscription: string, position: number): Awaitable<Retry | undefined>
  parkedBefore(
    place: Pick<Retry, 'subscription' | 'key' | 'position'>,
  ): Awaitable<Retry | undefined>
  /** Which of the positions have a row of any subscription, ascending. */
  waitingAt(positions: readonly number[]): Awaitable<readonly number[]>
  /** Which of `keys` have a row. */
  blocked(subscription: string, keys: readonly string[]): Awaitable<readonly string[]>
  /** Per subscription that has rows: how many in each state, and when the next is due (0: none). */
  summary(): Awaitable<readonly RetrySummary[]>
  /** Removes every row of the subscription; returns how many. */
  clear(subscription: string): Awaitable<number>
  /** Hands every row of one subscription to another, which must have none; returns how many. */
  rename(from: string, to: string): Awaitable<number>
}

/** What a subscription has to expect. */
export interface Upcoming {
  /** Whether it has rows in any state and of any share. */
  readonly any: boolean
  /** When the next row of the share is due, in Unix milliseconds; null: none is. */
  readonly next: number | null
}

export interface RetrySummary {
  readonly subscription: string
  readonly due: number
  readonly parked: number
  readonly queued: number
  /** Unix milliseconds. */
  readonly next: number
}
