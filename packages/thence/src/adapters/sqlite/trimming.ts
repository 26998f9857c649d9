/**
 * Removing messages from the beginning of streams and ending streams, and what is kept of that: the last removed
 * version of each stream, so that none is given twice, and the highest removed position of each type.
 */
import { categoryOf } from '../../message/name.ts'
import type { Trim } from '../../ports/events.ts'
import type { Connection } from './connection.ts'
import { subtract } from './sizes.ts'
import { streamState } from './streams.ts'

const oldest =
  'SELECT version, position, time, type, octet_length(data) + coalesce(octet_length(metadata), 0) ' +
  'FROM thence_events WHERE stream = ? AND version <= ? ORDER BY version LIMIT ?'
const remove = 'DELETE FROM thence_events WHERE stream = ? AND version <= ?'
const noteStream =
  'INSERT INTO thence_trimmed (stream, version, position, time, tombstone) VALUES (?, ?, ?, ?, 0) ' +
  'ON CONFLICT (stream) DO UPDATE SET version = excluded.version, position = excluded.position, time = excluded.time'
const noteType =
  'INSERT INTO thence_truncated (type, position) VALUES (?, ?) ' +
  'ON CONFLICT (type) DO UPDATE SET position = max(position, excluded.position)'
const noteTombstone =
  'INSERT INTO thence_trimmed (stream, version, position, time, tombstone) VALUES (?, 0, 0, 0, 1) ' +
  'ON CONFLICT (stream) DO UPDATE SET tombstone = 1'
const truncatedOfTypes =
  'SELECT max(position) FROM thence_truncated WHERE type IN (SELECT value FROM json_each(?))'
const truncatedOfAll = 'SELECT max(position) FROM thence_truncated'

type Row = readonly [version: number, position: number, time: number, type: string, bytes: number]

export function trim(connection: Connection, stream: string, { through, limit }: Trim): number {
  const rows = connection.all<Row>(oldest, stream, through, limit)
  const last = rows.at(-1)
  if (last === undefined) return 0
  const [version, position, time] = last
  connection.run(remove, stream, version)
  connection.run(noteStream, stream, version, position, time)
  const types = new Map(rows.map(([, at, , type]) => [type, at]))
  for (const [type, at] of types) connection.run(noteType, type, at)
  subtract(
    connection,
    categoryOf(stream),
    rows.map(([ofStream, at, , , bytes]) => ({ version: ofStream, position: at, bytes })),
  )
  return rows.length
}

export function tombstone(connection: Connection, stream: string): boolean {
  const state = streamState(connection, stream)
  if (state.version === 0 || state.tombstone) return false
  connection.run(noteTombstone, stream)
  return true
}

export function truncated(connection: Connection, types: readonly string[] | undefined): number {
  const row =
    types === undefined
      ? connection.get<[number | null]>(truncatedOfAll)
      : connection.get<[number | null]>(truncatedOfTypes, JSON.stringify(types))
  return row?.[0] ?? 0
}
