/**
 * The stored form of a message: text and numbers only. What the codec makes is what every database adapter keeps.
 */
import type { RecordedKind } from './message.ts'

/** A message ready to be stored. All text was checked at the door: an adapter stores it as it is. */
export interface NewMessage {
  /** Unique in the whole store. */
  readonly id: string
  readonly kind: RecordedKind
  readonly type: string
  readonly schemaVersion: number
  /** JSON text. */
  readonly data: string
  /** `null` when it is the message's own id (a first message). */
  readonly correlationId: string | null
  readonly causationId: string | null
  /** JSON text of the rest of the metadata, or `null`. */
  readonly metadata: string | null
  readonly tags: readonly string[]
  /** Unix milliseconds. */
  readonly time: number
}

/** A message in the log. */
export interface StoredMessage extends NewMessage {
  readonly stream: string
  /** 1 for the first message of a stream, then without gaps. */
  readonly version: number
  /** Grows in commit order; never given twice, not even after a deletion. */
  readonly position: number
}
