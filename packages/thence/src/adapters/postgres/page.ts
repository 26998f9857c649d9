/**
 * Lists of messages that end where a page is full, in one statement, with where the log ends by the same snapshot. The server
 * counts the bytes, so that what does not fit is never sent.
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
  const text =
    maxBytes === Infinity
      ? `(SELECT ${columns} FROM thence.events WHERE ${where} ORDER BY ${order} LIMIT ${last}) ${tail('0::bigint')}`
      : bounded(listing, order, { limit: last, most: `$${values.length + 1}::bigint` })
  if (maxBytes !== Infinity) values.push(Math.floor(maxBytes))
  const rows = await connection.all<EventRow>(text, ...values)
  const [head, found] = rows.pop()!
  return { rows, full: rows.length >= limit || rows.length < found, head }
}
