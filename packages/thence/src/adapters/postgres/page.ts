/**
 * Lists of messages that end where a page is full. The server counts the bytes, so that what does not fit is never sent.
 */
import type { EventRow } from '../sql/rows.ts'
import { columns } from '../sql/rows.ts'
import type { Connection } from './connection.ts'
import type { PostgresValue } from './driver.ts'

export interface Listing {
  /** What comes behind WHERE; its parameters are `values`, from $1 on. */
  readonly where: string
  readonly values: readonly PostgresValue[]
  /** For example `position DESC`. */
  readonly order: string
  readonly limit: number
  /** Default: no bound. */
  readonly maxBytes?: number | undefined
}

export interface Listed {
  readonly rows: readonly EventRow[]
  /** The list ended at a bound, not because nothing else matched. */
  readonly full: boolean
}

const bytes = 'octet_length(data) + coalesce(octet_length(metadata), 0)'

export async function listed(connection: Connection, listing: Listing): Promise<Listed> {
  const { where, order, limit, maxBytes } = listing
  const values = [...listing.values, limit]
  const rows = `SELECT ${columns} FROM thence.events WHERE ${where} ORDER BY ${order} LIMIT $${values.length}`
  if (maxBytes === undefined || maxBytes === Infinity) {
    const found = await connection.all<EventRow>(rows, ...values)
    return { rows: found, full: found.length >= limit }
  }
  const text =
    `SELECT ${columns}, found FROM (SELECT *, count(*) OVER () AS found, ` +
    `sum(${bytes}) OVER (ORDER BY ${order} ROWS UNBOUNDED PRECEDING) AS bytes, ` +
    `row_number() OVER (ORDER BY ${order}) AS place FROM (${rows}) AS listed) AS counted ` +
    `WHERE place = 1 OR bytes <= $${values.length + 1}::bigint ORDER BY ${order}`
  const found = await connection.all<[...EventRow, number]>(text, ...values, Math.floor(maxBytes))
  const candidates = found[0]?.[13] ?? 0
  return {
    rows: found.map((row) => row.slice(0, 13) as unknown as EventRow),
    full: found.length >= limit || found.length < candidates,
  }
}
