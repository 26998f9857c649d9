/**
 * A message of the log as people and archives read it: nothing is upcast or validated, so that it can be told without
 * the app's code.
 */
import type { StoredMessage } from './stored.ts'

/** A message of the log. */
export interface MessageView {
  readonly position: number
  readonly id: string
  readonly kind: 'event' | 'command'
  readonly type: string
  readonly schemaVersion: number
  readonly stream: string
  readonly version: number
  /** Unix milliseconds. */
  readonly time: number
  readonly correlationId: string
  readonly causationId: string | null
  readonly tags: readonly string[]
  /** The rest of the metadata, or null. */
  readonly metadata: unknown
  /** As it was stored; the text itself if it is not JSON. */
  readonly data: unknown
}

const parsed = (text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}

export const viewOf = (stored: StoredMessage): MessageView => ({
  position: stored.position,
  id: stored.id,
  kind: stored.kind,
  type: stored.type,
  schemaVersion: stored.schemaVersion,
  stream: stored.stream,
  version: stored.version,
  time: stored.time,
  correlationId: stored.correlationId ?? stored.id,
  causationId: stored.causationId,
  tags: stored.tags,
  metadata: stored.metadata === null ? null : parsed(stored.metadata),
  data: parsed(stored.data),
})
