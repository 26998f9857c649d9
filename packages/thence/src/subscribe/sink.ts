/**
 * Where a subscription's messages go. Projections, handlers, sagas and aggregates are four sinks of the one engine.
 */
import type { Recorded } from '../message/message.ts'
import type { Awaitable } from '../ports/awaitable.ts'
import type { Writer } from '../store/writer.ts'

/** The work of one transaction. After the transaction it is thrown away. */
export interface Run {
  /** Applies one message; in order of position within a key. */
  apply(message: Recorded, prepared: unknown): Awaitable<void>
  /** Several messages follow, of these streams and with these keys. */
  ahead?(keys: readonly string[]): Awaitable<void>
  /** Writes what was held back, at the end of the transaction or savepoint. */
  flush?(): Awaitable<void>
  /** Told after the commit. */
  committed?(): void
}

export interface PrepareOptions {
  /** Aborted when the app gives up on it. */
  readonly signal: AbortSignal
  /** The message was done before, and is given again on purpose. */
  readonly replaying: boolean
}

export interface Sink {
  /**
   * Work with the outside world before the transaction: it may run again for the same message. What it gives is
   * handed to `apply`.
   */
  readonly prepare?: (message: Recorded, how: PrepareOptions) => Promise<unknown>
  /**
   * Messages of different keys may be applied side by side, so that what they ask of a database that is remote goes in few calls. Not
   * for the work of users, who may write the same from two messages.
   */
  readonly sideBySide?: boolean
  open(writer: Writer): Run
  /** Empties what a rebuild will fill again. A sink without it cannot be rebuilt. */
  clear?(writer: Writer): Awaitable<void>
}
