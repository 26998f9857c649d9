/**
 * Lists of messages that end where a page is full, in one statement, with where the log ends by the same snapshot. What does not
 * fit is never sent: while messages are small that is seen row by row, else the server counts the bytes first.
 */
import type { EventRow } from '../sql/rows.ts'
import { columns } from '../sql/rows.ts'
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

const bytes = 'octet_length(data) + coalesce(octet_length(metadata), 0)'

/** Tells the end of the log, and how many rows there would be without the bound of bytes; a row has a stream. */
const tail = (found: string): string => {
  const rest = columns.split(', ').slice(2)
  return `UNION ALL SELECT thence.last_position(), ${found}, ${rest.map(() => 'NULL').join(', ')}`
}

/** In the place of texts that are larger than that there is NULL, which no message has for its data. */
const lean = (most: string): string =>
  columns.replace(/\b(meta)?data\b/g, (text) => `CASE WHEN ${bytes} <= ${most} THEN ${text} END`)
const dataAt = columns.split(', ').indexOf('data')

/** Up to which row everything fits: looked for row by row only if not all of them do, and never before the first. */
const bounded = (
  { where, by, backwards }: Listing,
  order: string,
  { limit, most }: { readonly limit: string; readonly most: string },
): string => {
  const [first, last, compare] = backwards ? ['max', 'min', '>='] : ['min', 'max', '<=']
  const candidates = `SELECT ${by}, data, metadata FROM thence.events WHERE ${where} ORDER BY ${order} LIMIT ${limit}`
  const sums = `SELECT ${by}, sum(${bytes}) OVER (ORDER BY ${order} ROWS UNBOUNDED PRECEDING) AS bytes FROM (${candidates}) AS listed`
  return (
    `WITH page AS (SELECT count(*) AS found, CASE WHEN sum(${bytes}) <= ${most} THEN ${last}(${by}) ELSE (` +
    `SELECT coalesce(${last}(${by}) FILTER (WHERE bytes <= ${most}), ${first}(${by})) FROM (${sums}) AS summed` +
    `) END AS through FROM (${candidates}) AS listed) ` +
    `(SELECT ${columns} FROM thence.events WHERE ${where} AND ${by} ${compare} (SELECT through FROM page) ` +
    `ORDER BY ${order}) ${tail('(SELECT found FROM page)')}`
  )
}

export async function listed(connection: Connection, listing: Listing): Promise<Listed> {
  const { where, by, backwards, limit, maxBytes = Infinity } = listing
  const order = backwards ? `${by} DESC` : by
  const values = [...listing.values, limit]
  const last = `$${values.length}::bigint`
  const most = `$${values.length + 1}::bigint`
  const simply = (what: string): string =>
    `(SELECT ${what} FROM thence.events WHERE ${where} ORDER BY ${order} LIMIT ${last}) ${tail('0::bigint')}`
  const ask = async (text: string, ...more: readonly number[]): Promise<Listed> => {
    const rows = await connection.all<EventRow>(text, ...values, ...more)
    const [head, found] = rows.pop()!
    return { rows, full: rows.length >= limit || rows.length < found, head }
  }
  if (maxBytes === Infinity) return ask(simply(columns))
  // If none has more than its share, all of them fit.
  const found = await ask(simply(lean(most)), Math.floor(maxBytes / limit))
  const isAll = found.rows.every((row) => row[dataAt] !== null)
  return isAll ? found : ask(bounded(listing, order, { limit: last, most }), Math.floor(maxBytes))
}
