/**
 * Lists of messages that end where a page is full, in one statement, with where the log ends by the same snapshot. No more is sent
 * than may be loaded: of a message that is larger than its share of a page only the size, and its texts if they fit after all.
 */
import { Room } from '../../internal/room.ts'
import { columns, type EventRow, sizeOf } from '../sql/rows.ts'
import type { Connection } from './connection.ts'
import type { PostgresValue } from './driver.ts'

export interface Listing {
  /** What comes behind WHERE; its parameters are `values`, from $1 on. */
  readonly where: string
  readonly values: readonly PostgresValue[]
  /** What the list is ordered by; no two rows of it have the same. */
  readonly by: 'position' | 'version'
  readonly backwards: boolean
  readonly limit: number
  /** Default: no bound. */
  readonly maxBytes?: number | undefined
}

export interface Listed {
  readonly rows: readonly EventRow[]
  /** The list ended at a bound, not because nothing else matched. */
  readonly full: boolean
  /** The last position of the log. */
  readonly head: number
}

type Row = { -readonly [K in keyof EventRow]: EventRow[K] }

/** What most messages have alike is not sent. */
const sparse = columns
  .replace('kind', "NULLIF(kind, 'event')")
  .replace('schema_version', 'NULLIF(schema_version, 1)')

const bytes = 'octet_length(data) + coalesce(octet_length(metadata), 0)'
/** No JSON begins like this. */
const mark = '#'

/** What is larger than its share has a mark and its size for its data. */
const sharing = (share: string): string =>
  sparse
    .replace('metadata', `CASE WHEN octet_length(metadata) <= ${share} THEN metadata END`)
    .replace(' data', ` CASE WHEN ${bytes} <= ${share} THEN data ELSE '${mark}' || (${bytes}) END`)

/** Tells the end of the log. */
const tail = `UNION ALL SELECT thence.last_position()${', NULL'.repeat(columns.split(', ').length - 1)}`

const texts =
  'SELECT position, metadata, data FROM thence.events WHERE position = ANY ($1::bigint[])'

const isUnsent = (row: Row): boolean => row[11].startsWith(mark)

const bytesIn = (row: Row): number =>
  isUnsent(row) ? Number(row[11].slice(mark.length)) : sizeOf(row)

/** The first rows, those that fit. */
const fitting = (rows: readonly Row[], maxBytes: number): Row[] => {
  const room = new Room(rows.length, maxBytes)
  const end = rows.findIndex((row) => !room.take(bytesIn(row)))
  return end < 0 ? [...rows] : rows.slice(0, end)
}

/** Fetches what was not sent; false if some of it was removed meanwhile. */
const complete = async (connection: Connection, rows: readonly Row[]): Promise<boolean> => {
  const unsent = new Map(rows.filter(isUnsent).map((row) => [row[0], row]))
  const found = await connection.all<[number, string | null, string]>(texts, [...unsent.keys()])
  for (const [position, metadata, data] of found) {
    const row = unsent.get(position)!
    row[10] = metadata
    row[11] = data
  }
  return found.length === unsent.size
}

export async function listed(connection: Connection, listing: Listing): Promise<Listed> {
  const { where, by, backwards, limit, maxBytes = Infinity } = listing
  const isBounded = maxBytes !== Infinity
  const values = [...listing.values, limit]
  if (isBounded) values.push(Math.floor(maxBytes / limit))
  const selected = isBounded ? sharing(`$${values.length}::bigint`) : sparse
  const order = backwards ? `${by} DESC` : by
  const last = `$${listing.values.length + 1}::bigint`
  const rows = await connection.all<Row>(
    `(SELECT ${selected} FROM thence.events WHERE ${where} ORDER BY ${order} LIMIT ${last}) ${tail}`,
    ...values,
  )
  const [head] = rows.pop()!
  // If none is larger than its share, all of them fit.
  if (!rows.some(isUnsent)) return { rows, full: rows.length >= limit, head }
  const page = fitting(rows, maxBytes)
  if (page.some(isUnsent) && !(await complete(connection, page))) return listed(connection, listing)
  return { rows: page, full: page.length < rows.length || rows.length >= limit, head }
}
