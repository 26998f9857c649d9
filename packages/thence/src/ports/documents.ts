/**
 * Keyed documents as JSON text, in collections: the plainest way to write a view. They change in the transaction of
 * the effect, like everything else.
 */
import type { Awaitable } from './awaitable.ts'

export interface Document {
  readonly key: string
  /** JSON text. */
  readonly value: string
}

/** What becomes of one document. */
export interface DocumentChange {
  readonly key: string
  /** JSON text; null: it is removed. */
  readonly value: string | null
}

/** Keys are ordered by their UTF-8 bytes. */
export interface Documents {
  get(collection: string, key: string): Awaitable<string | undefined>
  /** What is there of these keys, each once, in any order: one call, where calls have a price. */
  getAll(collection: string, keys: readonly string[]): Awaitable<readonly Document[]>
  put(collection: string, key: string, value: string): Awaitable<void>
  /** Puts and removes many at once; of a key that comes twice the last counts. */
  putAll(collection: string, changes: readonly DocumentChange[]): Awaitable<void>
  /** Returns whether it was there. */
  delete(collection: string, key: string): Awaitable<boolean>
  /** Documents whose key starts with `prefix`, by key, after the key `after`. */
  list(
    collection: string,
    options: { readonly prefix?: string; readonly after?: string; readonly limit: number },
  ): Awaitable<readonly Document[]>
  /** Removes all, or the first `limit` by key; returns how many. */
  clear(collection: string, limit?: number): Awaitable<number>
}
