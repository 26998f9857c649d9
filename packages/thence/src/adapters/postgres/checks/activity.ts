/**
 * What goes on just now: who holds or waits for the locks of the store, and what keeps the server from cleaning up.
 */
import type { Finding } from '../../../ports/diagnosis.ts'
import type { Check } from './check.ts'
import { findingsOf, sessionName, span } from './check.ts'

/** Who holds a lock for longer than this is told as a warning; seconds. */
const long = 10

const holders =
  "SELECT l.granted, l.pid, coalesce(a.application_name, ''), coalesce(a.client_addr::text, ''), " +
  "coalesce(a.state, ''), coalesce(extract(epoch FROM clock_timestamp() - a.xact_start), 0)::float8::integer " +
  'FROM (SELECT hashtextextended($1, 0) AS key) AS wanted JOIN pg_locks AS l ' +
  "ON l.locktype = 'advisory' AND l.objsubid = 1 AND l.classid::bigint = (wanted.key >> 32) & 4294967295 " +
  'AND l.objid::bigint = wanted.key & 4294967295 ' +
  'AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database()) ' +
  'LEFT JOIN pg_stat_activity AS a ON a.pid = l.pid ORDER BY l.granted DESC, a.xact_start'

type Holder = readonly [
  granted: boolean,
  pid: number,
  application: string,
  address: string,
  state: string,
  seconds: number,
]

/** The name by which the lock is taken, with the name of this store's schema. */
const lock = (name: 'append' | 'write'): Check => ({
  name: `${name} lock`,
  look: async ({ connection }) => {
    const finding = findingsOf(`${name} lock`)
    const rows = await connection.all<Holder>(holders, connection.texts.of(`thence.${name}`))
    const held = rows.find(([granted]) => granted)
    if (held === undefined) return [finding('ok', 'free')]
    const [, pid, application, address, state, seconds] = held
    const waiting = rows.filter(([granted]) => !granted).length
    const text = `held by ${sessionName(pid, application, address)} for ${span(seconds)}, ${state}; ${waiting} wait`
    if (seconds < long) return [finding('ok', text)]
    return [
      finding(
        'warning',
        text,
        `Everybody who writes waits for it. If it is lost: SELECT pg_terminate_backend(${pid})`,
      ),
    ]
  },
})

/** Older than this a transaction keeps dead rows of every table; seconds. */
const old = 300

const transactions =
  "SELECT pid, coalesce(application_name, ''), coalesce(client_addr::text, ''), coalesce(state, ''), " +
  'extract(epoch FROM clock_timestamp() - xact_start)::float8::integer AS seconds FROM pg_stat_activity ' +
  "WHERE xact_start IS NOT NULL AND pid <> pg_backend_pid() AND backend_type = 'client backend' " +
  'ORDER BY xact_start LIMIT 3'
const prepared =
  'SELECT gid, extract(epoch FROM clock_timestamp() - prepared)::float8::integer FROM pg_prepared_xacts ORDER BY prepared LIMIT 3'
const slots =
  'SELECT slot_name::text, active, coalesce(pg_wal_lsn_diff(pg_current_wal_lsn(), restart_lsn), 0)::float8::bigint ' +
  'FROM pg_replication_slots ORDER BY 3 DESC LIMIT 3'

const horizon: Check = {
  name: 'horizon',
  look: async ({ connection }) => {
    const finding = findingsOf('horizon')
    const found: Finding[] = []
    const open = await connection.all<[number, string, string, string, number]>(transactions)
    for (const [pid, application, address, state, seconds] of open)
      if (seconds >= old)
        found.push(
          finding(
            'warning',
            `${sessionName(pid, application, address)} has a transaction open for ${span(seconds)}, ${state}`,
            `Nothing that was deleted since is cleaned up. If nobody needs it: SELECT pg_terminate_backend(${pid})`,
          ),
        )
    for (const [gid, seconds] of await connection.all<[string, number]>(prepared))
      found.push(
        finding(
          seconds >= old ? 'warning' : 'notice',
          `the prepared transaction ${gid} is ${span(seconds)} old`,
          'It keeps its locks until somebody ends it: COMMIT PREPARED or ROLLBACK PREPARED.',
        ),
      )
    if (found.length > 0) return found
    const oldest = open[0]?.[4] ?? 0
    return [finding('ok', `the oldest open transaction is ${span(oldest)} old`)]
  },
}

/** Of the log of the server that a slot may keep; bytes. */
const muchKept = 10_000_000_000

const replication: Check = {
  name: 'slots',
  look: async ({ connection }) => {
    const finding = findingsOf('slots')
    const rows = await connection.all<[string, boolean, number]>(slots)
    const kept = rows.filter(([, active, bytes]) => !active || bytes > muchKept)
    if (kept.length === 0)
      return [finding('ok', rows.length === 0 ? 'none' : `${rows.length}, all in use`)]
    return kept.map(([name, active, bytes]) =>
      finding(
        bytes > muchKept ? 'warning' : 'notice',
        `${name} is ${active ? 'in use' : 'not in use'} and keeps ${Math.round(bytes / 1_000_000)} MB of the server's log`,
        `If nobody reads it any more: SELECT pg_drop_replication_slot('${name}')`,
      ),
    )
  },
}

export const activityChecks: readonly Check[] = [
  lock('append'),
  lock('write'),
  horizon,
  replication,
]
