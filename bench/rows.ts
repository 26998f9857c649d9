/**
 * All rows, in the order in which they are told.
 */
import { append1, append64 } from './append.ts'
import { backlog } from './backlog.ts'
import type { Row } from './bench.ts'
import { busNames, busRows } from './bus-rows.ts'
import { follow } from './follow.ts'
import { latency } from './latency.ts'
import { ordersRow } from './orders.ts'
import { overhead, overheadOfView } from './overhead.ts'
import { partitions } from './partitions.ts'
import { postgresAppends } from './postgres-append.ts'
import { postgresFeeds } from './postgres-feed.ts'
import { postgresFollowSql } from './postgres-follow-sql.ts'
import { postgresWork } from './postgres-work.ts'
import { poison } from './poison.ts'
import { read } from './read.ts'
import { redrive } from './redrive.ts'
import { sagas } from './saga.ts'
import { takeovers } from './takeover.ts'

const stored: readonly Row[] = [
  append64,
  append1,
  read,
  follow,
  latency,
  sagas,
  overhead,
  overheadOfView,
  partitions,
  poison,
  backlog,
  takeovers,
  redrive,
  ...postgresAppends,
  ...postgresFeeds,
  ...postgresWork,
  postgresFollowSql,
]

export const rowNames: readonly string[] = [
  ...stored.map(({ name }) => name),
  ...busNames,
  'orders',
]

/** The rows of these names. */
export async function loadRows(
  names: readonly string[],
  ordersFile: string | undefined,
): Promise<readonly Row[]> {
  const bus = busNames.some((name) => names.includes(name)) ? await busRows() : []
  const orders = names.includes('orders') ? ordersRow(ordersFile) : []
  return [...stored, ...bus, ...orders].filter(({ name }) => names.includes(name))
}
