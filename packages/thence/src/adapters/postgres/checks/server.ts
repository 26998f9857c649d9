/**
 * What the server and the role are like: version, durability, room for connections, clients that are gone, upkeep, standby, clocks.
 */
import type { Finding } from '../../../ports/diagnosis.ts'
import type { Connection } from '../connection.ts'
import type { Check } from './check.ts'
import { count, findingsOf, span } from './check.ts'

/** The settings of these names; '' for one that this version of the server does not have. */
const settings = async <Name extends string>(
  connection: Connection,
  ...names: readonly Name[]
): Promise<Readonly<Record<Name, string>>> => {
  const values = names.map((_, index) => `coalesce(current_setting($${index + 1}, true), '')`)
  const row = (await connection.get<string[]>(`SELECT ${values.join(', ')}`, ...names)) ?? []
  return Object.fromEntries(names.map((name, index) => [name, row[index]])) as Record<Name, string>
}

const version: Check = {
  name: 'server',
  look: async ({ connection }) => {
    const finding = findingsOf('server')
    const { server_version, server_encoding, data_checksums } = await settings(
      connection,
      'server_version',
      'server_encoding',
      'data_checksums',
    )
    const text = `PostgreSQL ${server_version}, ${server_encoding}`
    if (data_checksums === 'on') return [finding('ok', `${text}, with checksums`)]
    return [
      finding(
        'notice',
        `${text}, data_checksums is ${data_checksums}: damage on the disk is not noticed`,
        'Enable them while the server is stopped: pg_checksums --enable',
      ),
    ]
  },
}

const durability: Check = {
  name: 'durability',
  look: async ({ connection }) => {
    const finding = findingsOf('durability')
    const found = await settings(connection, 'fsync', 'full_page_writes', 'synchronous_commit')
    const lost: Readonly<Record<string, string>> = {
      fsync: 'a power cut may damage the whole database',
      full_page_writes: 'a power cut may damage pages',
      synchronous_commit: 'a crash may take the last commits, which were confirmed',
    }
    const off = Object.entries(found).filter(([, value]) => value === 'off')
    if (off.length === 0)
      return [
        finding(
          'ok',
          `fsync and full_page_writes on, synchronous_commit ${found.synchronous_commit}`,
        ),
      ]
    return off.map(([name]) =>
      finding('error', `${name} is off: ${lost[name] ?? ''}`, `Set ${name} = on.`),
    )
  },
}

const connections: Check = {
  name: 'connections',
  look: async ({ connection }) => {
    const finding = findingsOf('connections')
    const [used, own, most] = (await connection.get<[number, number, number]>(
      "SELECT (SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend'), " +
        "(SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend' AND datname = current_database()), " +
        "current_setting('max_connections')::integer - current_setting('superuser_reserved_connections')::integer",
    ))!
    const text = `${used} of ${most} in use, ${own} of them on this database`
    if (used < 0.8 * most) return [finding('ok', text)]
    return [
      finding(
        'warning',
        text,
        'Each process takes at most the max of its pool. Lower it, put a pooler before the server, or raise max_connections.',
      ),
    ]
  },
}

const timeouts: Check = {
  name: 'timeouts',
  look: async ({ connection }) => {
    const finding = findingsOf('timeouts')
    // Those of the session, before a transaction of ours says its own.
    const rows = await connection.all<[string, string, string]>(
      'SELECT name, reset_val, unit FROM pg_settings WHERE name IN ' +
        "('statement_timeout', 'lock_timeout', 'idle_session_timeout', 'transaction_timeout') AND reset_val <> '0' ORDER BY name",
    )
    if (rows.length === 0)
      return [finding('ok', 'none of the server or the role; the adapter sets its own')]
    const text = rows.map(([name, value, unit]) => `${name} ${value} ${unit}`).join(', ')
    return [
      finding(
        'notice',
        `of the server or the role: ${text}`,
        'Appends, and connections that wait in a pool, are under these. They should be longer than lockTimeout and the idle time of the pool.',
      ),
    ]
  },
}

const lostClients: Check = {
  name: 'lost clients',
  look: async ({ connection }) => {
    const finding = findingsOf('lost clients')
    const name = 'client_connection_check_interval'
    const { [name]: interval } = await settings(connection, name)
    if (interval !== '0')
      return [finding('ok', `looked for every ${interval} while a statement runs`)]
    return [
      finding(
        'notice',
        `${name} is 0: a write that waits for a lock may still be committed when its process is long gone`,
        `Set ${name} = '2s' for the role or the database, where the server's system can do that.`,
      ),
    ]
  },
}

const role: Check = {
  name: 'role',
  look: async ({ connection }) => {
    const finding = findingsOf('role')
    const [name, powerful, owner] = (await connection.get<[string, boolean, boolean]>(
      "SELECT current_user::text, rolsuper, coalesce(pg_has_role(n.nspowner, 'MEMBER'), false) FROM pg_roles " +
        "LEFT JOIN pg_namespace AS n ON n.oid = to_regnamespace('thence') WHERE rolname = current_user",
    ))!
    const advice = 'Let the app have a role of its own: thence migrate --roles NAME'
    if (powerful) return [finding('notice', `${name} is a superuser`, advice)]
    if (owner) return [finding('notice', `${name} owns the schema`, advice)]
    return [finding('ok', `${name} does not own the schema`)]
  },
}

const upkeep: Check = {
  name: 'autovacuum',
  look: async ({ connection }) => {
    const finding = findingsOf('autovacuum')
    const { autovacuum, track_counts } = await settings(connection, 'autovacuum', 'track_counts')
    const [age, limit] = (await connection.get<[number, number]>(
      "SELECT age(datfrozenxid), current_setting('autovacuum_freeze_max_age')::bigint FROM pg_database " +
        'WHERE datname = current_database()',
    ))!
    const ages = `the oldest transaction id is ${count(age)} old`
    const found: Finding[] = []
    if (autovacuum !== 'on' || track_counts !== 'on')
      found.push(
        finding(
          'error',
          `autovacuum is ${autovacuum}, track_counts ${track_counts}: tables only grow`,
          'Set both on.',
        ),
      )
    if (age > 2 * limit)
      found.push(
        finding(
          age > 1_500_000_000 ? 'error' : 'warning',
          `${ages}; the server stops taking writes before 2,100,000,000`,
          'Find what holds the horizon (below), then run VACUUM FREEZE.',
        ),
      )
    return found.length > 0 ? found : [finding('ok', `on; ${ages}`)]
  },
}

const standby: Check = {
  name: 'standby',
  look: async ({ connection }) => {
    const finding = findingsOf('standby')
    const [recovering] = (await connection.get<[boolean]>('SELECT pg_is_in_recovery()'))!
    if (recovering)
      return [
        finding(
          'error',
          'this server is a standby: it can only be read',
          'Connect to the primary.',
        ),
      ]
    const rows = await connection.all<[string, string, number]>(
      "SELECT coalesce(application_name, ''), coalesce(state, 'unknown'), " +
        'coalesce(extract(epoch FROM replay_lag), 0)::float8::integer FROM pg_stat_replication ORDER BY 1',
    )
    if (rows.length === 0) return [finding('ok', 'primary; no standby is connected')]
    return rows.map(([name, state, lag]) =>
      finding(lag > 60 ? 'warning' : 'ok', `primary; ${name} ${state}, ${span(lag)} behind`),
    )
  },
}

/** So many milliseconds that clocks may differ are nothing to tell. */
const skew = 1000

const clock: Check = {
  name: 'clock',
  look: async ({ connection, runtime }) => {
    const finding = findingsOf('clock')
    const before = runtime.now()
    const [server] = (await connection.get<[number]>(
      'SELECT floor(extract(epoch FROM clock_timestamp()) * 1000)::bigint',
    ))!
    const after = runtime.now()
    const off = Math.round(server - (before + after) / 2)
    const text = `the server's is ${Math.abs(off)} ms ${off < 0 ? 'behind' : 'ahead of'} that of this process`
    if (Math.abs(off) <= skew + (after - before)) return [finding('ok', text)]
    return [
      finding(
        'warning',
        text,
        'Timers and leases go by the server, the times of messages by the process. Synchronise both.',
      ),
    ]
  },
}

export const serverChecks: readonly Check[] = [
  version,
  durability,
  role,
  connections,
  timeouts,
  lostClients,
  upkeep,
  standby,
  clock,
]
