/**
 * Who did what to the store, when and why. An entry is written in the transaction of the act, so that no act is without
 * one and no entry without its act. Entries are never changed; only `trim` removes them, oldest first.
 */
import type { Awaitable } from './awaitable.ts'

export interface AuditEntry {
  /** A UUIDv7. */
  readonly id: string
  /** Unix milliseconds. */
  readonly time: number
  /** Who did it, for example `ann@ops-1` or `api`. */
  readonly actor: string
  /** What was done, for example `dead-letter.redrive`. */
  readonly action: string
  /** What it was done to: a name or an id. */
  readonly target: string
  /** JSON text of an object: the parameters and the outcome. */
  readonly details: string
  /** Why, in the actor's words; null if nobody said. */
  readonly reason: string | null
}

export interface AuditFilter {
  readonly target?: string
  readonly action?: string
  /** Only entries whose id comes after this one … */
  readonly after?: string
  /** … and before this one. */
  readonly before?: string
  /** The latest first. Default: the earliest first. */
  readonly backwards?: boolean
  readonly limit: number
}

/**
 * - `add` keeps the entry as it is; an id that is there already is left as it was.
 * - `list` gives entries by id (so by time, for one process).
 * - `trim` removes at most `limit` entries with a time before `before`, the earliest first (by time, then id); it returns
 *   how many.
 */
export interface Audit {
  add(entry: AuditEntry): Awaitable<void>
  list(filter: AuditFilter): Awaitable<readonly AuditEntry[]>
  trim(before: number, limit: number): Awaitable<number>
}
