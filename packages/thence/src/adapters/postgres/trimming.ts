/**
 * Removing messages from the beginning of streams and ending streams, and what is kept of that: the last removed
 * version of each stream, so that none is given twice, and the highest removed position of each type.
 */
import { categoryOf } from '../../message/name.ts'
import type { Trim } from '../../ports/events.ts'
import type { Connection } from './connection.ts'
import type { Scope } from './scope.ts'
import { subtract } from './sizes.ts'
import { streamInfo } from './streams.ts'

/** Who changes where a stream ends stands in the line of those who append, or append to it. */
const lockAll = "SELECT pg_advisory_xact_lock(hashtextextended('thence.append', 0))"
const lockOne = "SELECT pg_advisory_xact_lock(hashtextextended('thence.stream ' || $1, 0))"
/**
 * Entries of tags are found by the names that the message has, one by one, in a form that no plan can answer by reading the whole table: there is no index
 * by position alone.
 */
const remove =
  'WITH oldest AS (SELECT position, tags FROM thence.events WHERE stream = $1 AND version <= $2 ORDER BY version LIMIT $3), ' +
  'untagged AS (DELETE FROM thence.tags WHERE ctid = ANY (ARRAY(SELECT (' +
  'SELECT t.ctid FROM thence.tags AS t WHERE t.tag = named.tag AND t.position = oldest.position) ' +
  'FROM oldest CROSS JOIN LATERAL json_array_elements_text(oldest.tags::json) AS named (tag)))), ' +
  'gone AS (DELETE FROM thence.events USING oldest WHERE events.position = oldest.position ' +
  'RETURNING version, events.position, time, type, octet_length(data) + coalesce(octet_length(metadata), 0)) ' +
  'SELECT * FROM gone ORDER BY version'
const noteHead = 'UPDATE thence.head SET position = $1 WHERE position < $1'
const noteStream =
  'INSERT INTO thence.trimmed (stream, version, position, time, tombstone) VALUES ($1, $2, $3, $4, false) ' +
  'ON CONFLICT (stream) DO UPDATE SET version = excluded.version, position = excluded.position, time = excluded.time'
const noteType =
  'INSERT INTO thence.truncated (type, position) VALUES ($1, $2) ' +
  'ON CONFLICT (type) DO UPDATE SET position = greatest(truncated.position, excluded.position)'
const noteTombstone =
  'INSERT INTO thence.trimmed (stream, version, position, time, tombstone) VALUES ($1, 0, 0, 0, true) ' +
  'ON CONFLICT (stream) DO UPDATE SET tombstone = true'
const truncatedOfTypes = 'SELECT max(position) FROM thence.truncated WHERE type = ANY ($1)'
const truncatedOfAll = 'SELECT max(position) FROM thence.truncated'

type Row = readonly [version: number, position: number, time: number, type: string, bytes: number]

/** The connection, with nobody beside who appends to the stream. */
const alone = async (scope: Scope, stream: string): Promise<Connection> => {
  const connection = scope.change()
  await (scope.concurrent ? connection.run(lockOne, stream) : connection.run(lockAll))
  return connection
}

export async function trim(
  scope: Scope,
  stream: string,
  { through, limit }: Trim,
): Promise<number> {
  const connection = await alone(scope, stream)
  const rows = await connection.all<Row>(remove, stream, through, limit)
  const last = rows.at(-1)
  if (last === undefined) return 0
  const [version, position, time] = last
  await connection.run(noteStream, stream, version, position, time)
  await connection.run(noteHead, Math.max(...rows.map(([, at]) => at)))
  const types = new Map(rows.map(([, at, , type]) => [type, at]))
  for (const [type, at] of types) await connection.run(noteType, type, at)
  await subtract(
    scope,
    categoryOf(stream),
    rows.map(([ofStream, at, , , bytes]) => ({ version: ofStream, position: at, bytes })),
  )
  return rows.length
}

export async function tombstone(scope: Scope, stream: string): Promise<boolean> {
  const connection = await alone(scope, stream)
  const info = await streamInfo(connection, stream)
  if (info === undefined || info.tombstone) return false
  await connection.run(noteTombstone, stream)
  return true
}

export async function truncated(
  connection: Connection,
  types: readonly string[] | undefined,
): Promise<number> {
  const row =
    types === undefined
      ? await connection.get<[number | null]>(truncatedOfAll)
      : await connection.get<[number | null]>(truncatedOfTypes, types)
  return row?.[0] ?? 0
}
