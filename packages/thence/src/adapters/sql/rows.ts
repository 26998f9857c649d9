/**
 * The columns of the log and a stored message made from them.
 */
import { bytesOf } from '../../internal/room.ts'
import type { RecordedKind } from '../../message/message.ts'
import type { StoredMessage } from '../../ports/events.ts'

/** Without the stream, which a reader of one stream knows. */
export const columnsOfStream =
  'position, version, kind, type, schema_version, id, correlation_id, causation_id, time, tags, metadata, data'

export const columns: string = `${columnsOfStream}, stream`

/** An adapter may leave out what is so most of the time: null is `event`, and schema version 1. */
export type EventRow = readonly [
  position: number,
  version: number,
  kind: RecordedKind | null,
  type: string,
  schemaVersion: number | null,
  id: string,
  correlationId: string | null,
  causationId: string | null,
  time: number,
  tags: string | null,
  metadata: string | null,
  data: string,
  stream: string,
]

const noTags: readonly string[] = Object.freeze([])

/** Tags as stored: a JSON array, or null when there are none. */
export function encodeTags(tags: readonly string[]): string | null {
  return tags.length === 0 ? null : JSON.stringify(tags)
}

export const parseTags = (tags: string | null): readonly string[] =>
  tags === null ? noTags : (JSON.parse(tags) as string[])

/** Of a row, whatever comes behind its columns. */
export function decodeRow(
  row: EventRow | readonly [...EventRow, ...rest: unknown[]],
  stream: string,
): StoredMessage {
  return {
    id: row[5],
    kind: row[2] ?? 'event',
    type: row[3],
    schemaVersion: row[4] ?? 1,
    data: row[11],
    correlationId: row[6],
    causationId: row[7],
    metadata: row[10],
    tags: parseTags(row[9]),
    time: row[8],
    stream,
    version: row[1],
    position: row[0],
  }
}

/** Its bytes, as a page counts them. */
export const sizeOf = (row: EventRow): number => bytesOf({ metadata: row[10], data: row[11] })
