/**
 * Beginnings of several streams in one statement. The bound of bytes is shared out among them, so that all of them together keep to it,
 * but for the first message of each.
 */
import type { StoredMessage } from '../../ports/events.ts'
import { columns, decodeRow, type EventRow } from '../sql/rows.ts'
import type { Connection } from './connection.ts'

/** From which version on a stream is read. */
export interface Start {
  readonly stream: string
  readonly from: number
}

export interface Bounds {
  /** Messages of each stream. */
  readonly limit: number
  /** Of all streams. */
  readonly maxBytes: number
}

type Row = readonly [...EventRow, place: number]

const bytes = 'octet_length(data) + coalesce(octet_length(metadata), 0)'
const select =
  `SELECT ${columns}, wanted.place FROM unnest($1::text[], $2::bigint[]) WITH ORDINALITY AS wanted(name, start, place) ` +
  'CROSS JOIN LATERAL (SELECT * FROM (' +
  `SELECT ${columns}, sum(${bytes}) OVER (ORDER BY version ROWS UNBOUNDED PRECEDING) AS bytes, row_number() OVER (ORDER BY version) AS number ` +
  `FROM (SELECT ${columns} FROM thence.events WHERE stream = wanted.name AND version >= wanted.start ORDER BY version LIMIT $3::bigint) AS listed` +
  ') AS summed WHERE bytes <= $4::bigint OR number = 1) AS fitting ORDER BY wanted.place, version'

/** What there is of each, in the order of `starts`. */
export async function beginningsOf(
  connection: Connection,
  starts: readonly Start[],
  { limit, maxBytes }: Bounds,
): Promise<readonly (readonly StoredMessage[])[]> {
  const names = starts.map(({ stream }) => stream)
  const versions = starts.map(({ from }) => from)
  const most = Math.min(Math.floor(maxBytes / starts.length), Number.MAX_SAFE_INTEGER)
  const rows = await connection.all<Row>(select, names, versions, limit, most)
  const found: StoredMessage[][] = starts.map(() => [])
  for (const row of rows) {
    const [stream, place] = [row[12], row[13]]
    found[place - 1]?.push(decodeRow(row, stream))
  }
  return found
}
