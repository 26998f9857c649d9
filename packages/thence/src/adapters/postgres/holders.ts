/**
 * Who holds a lock of the store that somebody has waited for in vain: an operator can look at that session, and end it.
 */
import { isThenceError, ThenceError } from '../../errors.ts'
import { sqlState } from './errors.ts'
import type { Runner } from './runner.ts'

/** Whoever was named, else who holds the locks of all. Of locks on a single bigint the two halves are shown. What belongs to another role may not be told. */
const holding =
  "SELECT a.pid, l.lock, coalesce(a.application_name, ''), coalesce(a.state, ''), " +
  'floor(extract(epoch FROM a.xact_start) * 1000)::bigint, floor(extract(epoch FROM clock_timestamp() - a.xact_start) * 1000)::bigint ' +
  "FROM (SELECT $1::integer AS pid, 'append' AS lock UNION ALL " +
  "SELECT h.pid, CASE WHEN h.key = hashtextextended('thence.append', 0) THEN 'append' ELSE 'write' END " +
  'FROM (SELECT pid, database, (classid::bigint << 32) | objid::bigint AS key FROM pg_locks ' +
  "WHERE locktype = 'advisory' AND objsubid = 1 AND granted) AS h " +
  'WHERE $1::integer IS NULL AND h.database = (SELECT oid FROM pg_database WHERE datname = current_database()) ' +
  "AND h.key IN (hashtextextended('thence.append', 0), hashtextextended('thence.write', 0))) AS l " +
  'JOIN pg_stat_activity AS a ON a.pid = l.pid ORDER BY a.xact_start LIMIT 1'

/** The session that the server has named; see migrations/0003-concurrent.ts. */
const namedIn = (error: unknown): string | null => {
  const isNamed = typeof error === 'object' && error !== null && 'detail' in error
  return isNamed && /^\d+$/.test(String(error.detail)) ? String(error.detail) : null
}

type Row = readonly [number, string, string, string, number | null, number | null]

/** A session that holds a lock of the store. */
interface Holder {
  /** Of the server's process: `pg_terminate_backend(pid)` ends it. */
  readonly pid: number
  readonly lock: string
  readonly application: string
  /** As the server says it, for example `idle in transaction`. */
  readonly state: string
  /** When its transaction began, in Unix milliseconds by the server's clock; null if that may not be seen. */
  readonly since: number | null
}

const told = ({ pid, application, state }: Holder, open: number | null): string =>
  `Process ${pid} of the server` +
  (application === '' ? '' : ` (${application})`) +
  ' holds it' +
  (state === '' ? '' : `, ${state}`) +
  (open === null ? '.' : `, in a transaction that has been open for ${open} ms.`)

/** The error, with who holds the lock if that is what it is about and can be found out. */
export async function withHolder(error: unknown, runner: Runner): Promise<unknown> {
  if (!isThenceError(error, 'STORE_BUSY') || sqlState(error.cause) !== '55P03') return error
  try {
    const named = namedIn(error.cause)
    const row = await runner.read((scope) => scope.use().get<Row>(holding, named))
    if (row === undefined) return error
    const [pid, lock, application, state, since, open] = row
    const holder: Holder = { pid, lock, application, state, since }
    return new ThenceError('STORE_BUSY', `${error.message} ${told(holder, open)}`, {
      cause: error.cause,
      details: { ...error.details, holder },
    })
  } catch {
    // That is no answer to what was asked for.
    return error
  }
}
