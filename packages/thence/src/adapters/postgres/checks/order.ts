/**
 * In which order the store gives positions, and who keeps readers from going on: the lowest append that is open.
 */
import type { OpenAppend } from '../../../ports/copying.ts'
import type { Connection } from '../connection.ts'
import type { Check } from './check.ts'
import { count, findingsOf, sessionName, span } from './check.ts'

/** Who holds up readers for longer than this is told as a warning; seconds. */
const long = 10

const kept = "SELECT value, pg_is_in_recovery() FROM thence.meta WHERE key = 'order'"

/** The mark that is furthest behind the end of the log; see migrations/0003-concurrent.ts. A prepared transaction has no session. */
const lowest =
  'SELECT thence.last_position(), m.behind, m.pid, m.gid, m.application, m.address, m.state, m.seconds FROM (' +
  'SELECT (thence.last_position() - l.objid::bigint) & 4294967295 AS behind, l.pid, p.gid, ' +
  "coalesce(a.application_name, '') AS application, coalesce(a.client_addr::text, '') AS address, coalesce(a.state, '') AS state, " +
  'coalesce(extract(epoch FROM clock_timestamp() - coalesce(a.xact_start, p.prepared)), 0)::float8::integer AS seconds ' +
  'FROM pg_locks AS l LEFT JOIN pg_stat_activity AS a ON a.pid = l.pid ' +
  "LEFT JOIN pg_locks AS x ON l.pid IS NULL AND x.pid IS NULL AND x.locktype = 'transactionid' " +
  'AND x.virtualtransaction = l.virtualtransaction LEFT JOIN pg_prepared_xacts AS p ON p.transaction = x.transactionid ' +
  "WHERE l.locktype = 'advisory' AND l.objsubid = 2 AND l.classid = 'thence.positions'::regclass AND l.granted " +
  'AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())) AS m ' +
  'WHERE m.behind BETWEEN 1 AND 2147483647 ORDER BY m.behind DESC LIMIT 1'

type Lowest = readonly [
  last: number,
  behind: number,
  pid: number | null,
  gid: string | null,
  application: string,
  address: string,
  state: string,
  seconds: number,
]

/** What ends a session, or a prepared transaction, whose name may have quotes. */
export const endOf = (pid: number | null, gid: string | null): string =>
  pid === null
    ? `ROLLBACK PREPARED '${(gid ?? '').replaceAll("'", "''")}'`
    : `SELECT pg_terminate_backend(${pid})`

/** The lowest append that is open: the log can be read up to where it is. */
interface LowestAppend extends OpenAppend {
  readonly seconds: number
  readonly last: number
  readonly behind: number
}

/** Gives it, if there is one and anything was taken above it. */
export async function lowestAppend(connection: Connection): Promise<LowestAppend | undefined> {
  const row = await connection.get<Lowest>(lowest)
  if (row === undefined) return undefined
  const [last, behind, pid, gid, application, address, state, seconds] = row
  const who =
    pid === null
      ? `the prepared transaction ${gid ?? ''}`
      : `${sessionName(pid, application, address)}, ${state}`
  return { last, behind, who, age: span(seconds), seconds, end: endOf(pid, gid) }
}

const order: Check = {
  name: 'order',
  look: async ({ connection }) => {
    const finding = findingsOf('order')
    const [value, isStandby] = (await connection.get<[string, boolean]>(kept)) ?? ['sequenced']
    if (value !== 'concurrent') return [finding('ok', value)]
    if (isStandby === true)
      return [finding('warning', 'concurrent; a standby cannot be read', 'Use the primary.')]
    const open = await lowestAppend(connection)
    if (open === undefined) return [finding('ok', 'concurrent; the log can be read to its end')]
    const { last, behind, who, age, seconds, end } = open
    const text =
      `concurrent; the log can be read to ${count(last - behind)} of ${count(last)}, up to where ${who}, ` +
      `has appended; its transaction is ${age} old`
    if (seconds < long) return [finding('ok', text)]
    return [finding('warning', text, `Subscriptions wait for it. If it is lost: ${end}`)]
  },
}

export const orderChecks: readonly Check[] = [order]
