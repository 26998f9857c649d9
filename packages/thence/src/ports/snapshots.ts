/**
 * A shortcut past the beginning of a long stream: the folded state at a version. It may be lost at any time without
 * changing any result; it is written outside the transaction of the append.
 */
import type { Awaitable } from './awaitable.ts'

export interface Snapshot {
  readonly stream: string
  /** The stream's version that the state includes. */
  readonly version: number
  /** Which program wrote it; one with another tag ignores it. */
  readonly tag: string
  /** JSON text. */
  readonly state: string
}

/**
 * - `save` keeps only the newest version of each stream and tag.
 * - `clear` removes those of a stream, with every tag; it returns how many.
 */
export interface Snapshots {
  load(stream: string, tag: string): Awaitable<Snapshot | undefined>
  save(snapshot: Snapshot): Awaitable<void>
  clear(stream: string): Awaitable<number>
}
