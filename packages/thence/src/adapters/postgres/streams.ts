/**
 * Where streams end: their last message, or what is kept of them once messages were removed.
 */
import type { StreamInfo } from '../../ports/events.ts'
import { keyRange } from '../sql/range.ts'
import type { Connection } from './connection.ts'

/** `names` gives the names of streams, some of which may not be there. */
const infos = (names: string): string =>
  'SELECT n.stream, coalesce(e.version, t.version), coalesce(e.position, t.position), coalesce(e.time, t.time), ' +
  `coalesce(t.version, 0), coalesce(t.tombstone, false) FROM (${names}) AS n (stream) LEFT JOIN LATERAL (` +
  'SELECT version, position, time FROM thence.events WHERE stream = n.stream ORDER BY version DESC LIMIT 1) AS e ON true ' +
  'LEFT JOIN thence.trimmed AS t ON t.stream = n.stream WHERE e.version IS NOT NULL OR t.stream IS NOT NULL'

const some = infos('SELECT DISTINCT unnest($1::text[]) COLLATE "C"')

const firstOf = (table: string, compare: string): string =>
  `(SELECT stream FROM thence.${table} WHERE stream ${compare} ORDER BY stream LIMIT 1)`
const first = (compare: string): string =>
  `SELECT least(${firstOf('events', compare)}, ${firstOf('trimmed', compare)})`

/** From name to name by the index: a long stream costs no more than a short one. */
const list = (compare: string): string =>
  `WITH RECURSIVE names (stream) AS (${first(`${compare} $1`)} UNION ALL ` +
  `SELECT (${first('> names.stream')}) FROM names WHERE starts_with(names.stream, $2)) ` +
  `${infos('SELECT stream FROM names WHERE starts_with(stream, $2) LIMIT $3')} ORDER BY n.stream`

const from = list('>=')
const behind = list('>')

type Row = readonly [string, number, number, number, number, boolean]

const decode = ([stream, version, position, time, trimmed, tombstone]: Row): StreamInfo => ({
  stream,
  version,
  position,
  time,
  trimmed,
  tombstone,
})

/** What there is of each, in the order of `streams`. */
export async function infosOf(
  connection: Connection,
  streams: readonly string[],
): Promise<readonly (StreamInfo | undefined)[]> {
  const rows = await connection.all<Row>(some, streams)
  const found = new Map(rows.map((row) => [row[0], decode(row)]))
  return streams.map((stream) => found.get(stream))
}

export async function streamInfo(
  connection: Connection,
  stream: string,
): Promise<StreamInfo | undefined> {
  return (await infosOf(connection, [stream]))[0]
}

/** A place in a list of keys by bytes: at or behind it. */
export interface Start {
  readonly key: string
  readonly inclusive: boolean
  /** Exclusive; undefined: no bound. */
  readonly to: string | undefined
}

/** Where the keys begin that have the prefix and come after a key. */
export function startOf(prefix = '', after?: string): Start {
  const { to } = keyRange(prefix)
  const isBehind =
    after !== undefined && Buffer.compare(Buffer.from(after), Buffer.from(prefix)) >= 0
  return { key: isBehind ? after : prefix, inclusive: !isBehind, to }
}

export async function streamInfos(
  connection: Connection,
  options: { readonly prefix?: string; readonly after?: string; readonly limit: number },
): Promise<readonly StreamInfo[]> {
  const { key, inclusive } = startOf(options.prefix, options.after)
  const text = inclusive ? from : behind
  const rows = await connection.all<Row>(text, key, options.prefix ?? '', options.limit)
  return rows.map(decode)
}
