/**
 * The log: append and read back, in the stored (already encoded) form. The one contract on which everything else
 * rests: positions grow in commit order, so reading after a position never misses a message.
 */
import type { NewMessage, StoredMessage } from '../message/stored.ts'
import type { Awaitable } from './awaitable.ts'

export type { NewMessage, StoredMessage }

/** Matches a message that has one of `types` (any type, if absent; none, if empty) and all of `tags`. */
export interface QueryItem {
  readonly types?: readonly string[]
  readonly tags?: readonly string[]
}

/** Matches a message that matches any of its items; an empty list matches every message. */
export type Query = readonly QueryItem[]

/** What must hold for a stream when the append commits: its version, or that it must not / must exist. */
export type Expected = number | 'none' | 'exists'

/** No message that matches `query` may stand after position `after` when the append commits (dcb.events). */
export interface AppendCondition {
  readonly query: Query
  /** The last position the decision has seen; 0 for none. */
  readonly after: number
}

/** Remembers that `consumer` was done with message `id`; see ports/inbox.ts. */
export interface Once {
  readonly consumer: string
  readonly id: string
  /** Kept with the row; it says nothing to the adapter. */
  readonly digest?: string
}

/** An append as data. With `once` the list of messages may be empty: then only the inbox row is written. */
export interface AppendRequest {
  readonly stream: string
  readonly expected?: Expected
  readonly condition?: AppendCondition
  readonly once?: Once
  readonly messages: readonly NewMessage[]
}

/** Where the messages of one append went. `count` 0 means that nothing was written to the log. */
export interface Appended {
  readonly stream: string
  /** Of the last message; with `count` 0 the version of the stream. */
  readonly version: number
  /** Of the last message; with `count` 0 the position of the log's head. */
  readonly position: number
  readonly count: number
}

/** What became of one append request. A refused one wrote nothing and burned no position. */
export type Verdict =
  | ({ readonly outcome: 'appended' } & Appended)
  /** The same ids (or the same `once`) had been written before; where, says the rest. */
  | ({ readonly outcome: 'duplicate' } & Appended)
  /** `expected` did not hold; the stream is at `actual` (0: it does not exist). */
  | { readonly outcome: 'conflict'; readonly actual: number }
  /** A message that matches the condition's query stands at `position`. */
  | { readonly outcome: 'condition-failed'; readonly position: number }
  /** The id belongs to another message; see {@link Events}. */
  | { readonly outcome: 'id-reused'; readonly id: string }
  /** The stream was ended for good. */
  | { readonly outcome: 'tombstoned' }

export interface ReadStream {
  /** First version to give, inclusive; default: the first of the stream, backwards the last. */
  readonly from?: number
  readonly backwards?: boolean
  /** At most so many messages; at least 1. */
  readonly limit: number
  /**
   * At most so many bytes, as in {@link ReadAll}; default: no bound. With it, fewer messages than `limit` don't mean
   * that the stream has ended: only none does.
   */
  readonly maxBytes?: number
}

export interface ReadAll {
  readonly query?: Query
  /** Positions greater than this; default 0. */
  readonly after?: number
  /** Positions less than this; default: no bound. */
  readonly before?: number
  readonly backwards?: boolean
  /** At most so many messages; at least 1. */
  readonly limit: number
  /**
   * At most so many bytes of data and metadata, counted as UTF-8; default: no bound. A page that is not empty without
   * the bound is not empty with it: its first message comes whatever its size.
   */
  readonly maxBytes?: number
  /**
   * Also what is not settled yet, with `through` up to the last position that was committed; see {@link Events}. Nothing may go on
   * from there but one who keeps every other writer out. Default false.
   */
  readonly unsettled?: boolean
}

/** A page of the log. */
export interface Page {
  readonly messages: readonly StoredMessage[]
  /**
   * Forwards: every matching message up to here is in this page or was before it. If the page is full it is the last
   * message's position, else the head of the log when it was read (never less than `after`, always less than `before`).
   * Nothing will ever be committed up to here that is not there now.
   * Backwards it means nothing.
   */
  readonly through: number
  /**
   * Whether the page is full: it ended at `limit` messages or before it would have exceeded `maxBytes`, and there may
   * be more. False: nothing else matched when it was read. How many messages came says nothing about that.
   */
  readonly more: boolean
}

/** A stream, also one whose messages were all removed: then this tells of the last that it had. */
export interface StreamInfo {
  readonly stream: string
  /** Of its last message. */
  readonly version: number
  /** Of its last message. */
  readonly position: number
  /** Of its last message, Unix milliseconds. */
  readonly time: number
  /** Messages up to this version were removed; 0: none. */
  readonly trimmed: number
  /** It was ended for good: nothing can be appended any more. */
  readonly tombstone: boolean
}

/** Where a message stands, without what it says: what retention walks over. */
export interface Place {
  readonly position: number
  readonly stream: string
  readonly version: number
  readonly type: string
  /** Unix milliseconds. */
  readonly time: number
}

export interface Trim {
  /** The last version to remove, inclusive. */
  readonly through: number
  /** At most so many messages; at least 1. */
  readonly limit: number
}

/**
 * Reads and writes inside one transaction.
 *
 * - `append` judges in this order: `once` already remembered → duplicate; the stream is a tombstone → tombstoned,
 *   unless all ids are already stored in this stream as the same messages → duplicate; `expected` not met →
 *   conflict, condition not met → condition-failed (both with the same exception); an id is taken by another message, or only some of the ids are
 *   stored, or one comes twice → id-reused; else appended. A refused request leaves no trace and the transaction goes
 *   on. A request without messages is never a duplicate by its ids.
 * - Two messages are the same if they have the same id, type and data, in whatever order the keys of an object come. Data
 *   of two schema versions is not compared. See message/same.ts.
 * - Versions in a stream are contiguous from 1. Positions are contiguous too where a single writer gives them, and in
 *   any case what is read of the log grows in commit order: where several transactions have positions at once, one is
 *   settled when all up to it were committed or rolled back, and `readAll` and `head` go no further than that.
 * - `readStream` and `readAll` see this transaction's own appends.
 * - `trim` removes messages of a stream from its beginning on, up to a version, and gives how many. What is left keeps
 *   its versions and positions; neither is ever given twice. The ids of removed messages are forgotten: an append that
 *   is sent again after that is a new one, unless `once` or `expected` refuses it. A condition looks at what is stored,
 *   so it doesn't see them either.
 * - `tombstone` ends a stream; it gives false if there is no such stream or it was ended before. Its messages stay until
 *   they are trimmed.
 * - `truncated` gives the highest position of a removed message that had one of the types (any type, if absent), 0 if
 *   there is none: whoever reads these types from before it does not read everything that has happened.
 * - `readAll` and `readStream` load no more than `maxBytes` and one message, whatever the `limit`.
 */
export interface Events {
  append(request: AppendRequest): Awaitable<Verdict>
  readStream(stream: string, options: ReadStream): Awaitable<readonly StoredMessage[]>
  readAll(options: ReadAll): Awaitable<Page>
  /** The last position that is settled, 0 for an empty store; with `unsettled` the last that was committed. */
  head(options?: { readonly unsettled?: boolean }): Awaitable<number>
  /** Messages by id, or all of one correlation (its first message included), in order of position. */
  find(
    by: { readonly id: string } | { readonly correlationId: string },
  ): Awaitable<readonly StoredMessage[]>
  /** One stream; undefined if nothing was ever appended to it. */
  stream(name: string): Awaitable<StreamInfo | undefined>
  /** Streams whose name starts with `prefix`, by name, after the name `after`. */
  streams(options: {
    readonly prefix?: string
    readonly after?: string
    readonly limit: number
  }): Awaitable<readonly StreamInfo[]>
  trim(stream: string, options: Trim): Awaitable<number>
  tombstone(stream: string): Awaitable<boolean>
  truncated(types?: readonly string[]): Awaitable<number>
  /** Where messages stand, in order of position, after a position. */
  places(options: { readonly after: number; readonly limit: number }): Awaitable<readonly Place[]>
}
