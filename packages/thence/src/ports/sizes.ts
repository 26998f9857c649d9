/**
 * How large the store is, told cheaply enough to be asked every minute: what was counted before is remembered, only
 * what came after it is counted when one asks.
 */
import type { Awaitable } from './awaitable.ts'

/** The streams whose names begin alike, up to the first `-`. */
export interface CategorySize {
  readonly category: string
  /** Messages that are stored. */
  readonly messages: number
  /** Of their data and metadata, in UTF-8. */
  readonly bytes: number
  /** Streams that were begun, also those whose messages were removed. */
  readonly streams: number
  /** Messages that were removed. */
  readonly removed: number
  /** The highest position of a removed message; 0 if there is none. */
  readonly truncated: number
}

/** What is counted beside the log. */
export type SizedTable =
  | 'audit'
  | 'deadLetters'
  | 'documents'
  | 'inbox'
  | 'jobs'
  | 'retries'
  | 'snapshots'
  | 'timers'

export interface TableSize {
  readonly rows: number
  /** There are more: counting ended here, because more would take long. */
  readonly more: boolean
}

export interface StoreSize {
  /** Of everything, as the database keeps it; 0 where it cannot tell. */
  readonly bytes: number
  /** By name. */
  readonly categories: readonly CategorySize[]
  readonly tables: Readonly<Record<SizedTable, TableSize>>
}

/**
 * - `measure` remembers the counts of at most `limit` more positions; it returns how many are left to count. What `read`
 *   gives does not depend on it, only how long that takes.
 * - `read` is exact for the log; tables are counted up to `most` rows each.
 */
export interface Sizes {
  measure(limit: number): Awaitable<number>
  read(most: number): Awaitable<StoreSize>
}
