// What the doctor of a store on PostgreSQL finds: a schema that is not as the migrations make it, and a server that is not as it should be.
import type { Database } from 'thence'
import type { Finding } from 'thence/admin'
import { virtualRuntime } from 'thence/testing'
import { describe, expect, it, onTestFinished } from 'vitest'
import { describeSchema, dumpOf } from '../../src/adapters/postgres/checks/schema.ts'
import { Connection } from '../../src/adapters/postgres/connection.ts'
import { Patience } from '../../src/adapters/postgres/patience.ts'
import { Texts } from '../../src/adapters/postgres/texts.ts'
import { systemRuntime } from '../../src/app/system-runtime.ts'
import { postgresPlace } from '../kit/postgres.ts'

const migrated = async (runtime = systemRuntime()) => {
  const place = postgresPlace()
  onTestFinished(() => place.dispose())
  const database = place.connect()
  onTestFinished(() => database.close())
  await database.open(runtime)
  await database.migrate()
  const pool = place.pool()
  onTestFinished(() => pool.end())
  return { schema: place.schema, database, pool }
}

/** What is found by these checks. */
const found = async (database: Database, ...checks: readonly string[]) => {
  const findings: readonly Finding[] = (await database.diagnose?.()) ?? []
  return findings
    .filter(({ check }) => checks.includes(check))
    .map(({ state, text }) => `${state}: ${text}`)
}

it('the schema that the migrations make is the committed one', async () => {
  const { pool, schema } = await migrated()
  const client = await pool.connect()
  const connection = new Connection(
    client,
    new Texts(schema),
    new Patience(systemRuntime(), Infinity),
  )
  const dump = dumpOf(await describeSchema(connection))
  connection.release()
  await expect(dump).toMatchFileSnapshot('../../src/adapters/postgres/schema.sql')
})

describe('the doctor', () => {
  it('finds every check of a sound store in order, and knows this server does not write to its disk', async () => {
    const { database } = await migrated()
    const findings = (await database.diagnose?.()) ?? []
    const wrong = findings.filter(({ state }) => state === 'warning' || state === 'error')
    expect(wrong.filter(({ check }) => check !== 'durability')).toEqual([])
    expect(findings.filter(({ text }) => text.startsWith('could not be looked at'))).toEqual([])
    expect([...new Set(findings.map(({ check }) => check))]).toEqual([
      'schema',
      'indexes',
      'dead rows',
      'views',
      'server',
      'durability',
      'role',
      'connections',
      'timeouts',
      'lost clients',
      'autovacuum',
      'standby',
      'clock',
      'order',
      'append lock',
      'write lock',
      'horizon',
      'slots',
    ])
  })

  it('names what is missing, what differs and what nobody made', async () => {
    const { database, pool } = await migrated()
    await pool.query(`
      DROP INDEX events_type;
      ALTER TABLE timers ALTER COLUMN due TYPE numeric;
      ALTER TABLE inbox ADD COLUMN note text;
      CREATE TABLE mine (x integer);
      ALTER SEQUENCE positions CACHE 10;
      CREATE OR REPLACE FUNCTION last_position() RETURNS bigint LANGUAGE sql STABLE AS 'SELECT 0::bigint'`)
    expect(await found(database, 'schema')).toEqual([
      'error: table inbox is not as the migrations make it',
      'error: table timers is not as the migrations make it',
      'error: index events_type is missing',
      'error: sequence positions is not as the migrations make it',
      'error: function last_position() is not as the migrations make it',
      'notice: also there, and not made by migrations: table mine',
    ])
  })

  it('finds an index that is not valid', async () => {
    const { database, pool, schema } = await migrated()
    await pool.query(
      `UPDATE pg_index SET indisvalid = false WHERE indexrelid = '${schema}.audit_time'::regclass`,
    )
    expect(await found(database, 'indexes')).toEqual([
      expect.stringMatching(/^error: .*audit_time is not valid/),
    ])
  })

  it('tells who holds the lock of appends, and how many wait for it', async () => {
    const { database, pool, schema } = await migrated()
    const [holder, waiter] = [await pool.connect(), await pool.connect()]
    const take = `SELECT pg_advisory_xact_lock(hashtextextended('"${schema}".append', 0))`
    const pid = (await holder.query('SELECT pg_backend_pid() AS pid')).rows[0].pid
    await holder.query("SET application_name = 'shop'")
    await holder.query(`BEGIN; ${take}`)
    const waiting = waiter.query(take)
    // Until the server has put it into the line.
    const line =
      "SELECT FROM pg_locks WHERE locktype = 'advisory' AND NOT granted AND pid = ANY ($1)"
    const other = (await pool.query('SELECT pid FROM pg_stat_activity')).rows.map((row) => row.pid)
    while ((await pool.query(line, [other])).rowCount === 0);
    expect(await found(database, 'append lock', 'write lock')).toEqual([
      expect.stringMatching(
        new RegExp(
          `^ok: held by pid ${pid} \\(shop, 127.0.0.1.*\\) for \\d+ s, idle in transaction; 1 wait$`,
        ),
      ),
      'ok: free',
    ])
    await holder.query('COMMIT')
    await waiting
    holder.release()
    waiter.release()
  })

  it('sees that clocks differ, and a store without tables', async () => {
    const { database, pool } = await migrated(virtualRuntime({ start: Date.now() - 60_000 }))
    expect(await found(database, 'clock')).toEqual([
      expect.stringMatching(/^warning: the server's is 6\d{4} ms ahead of/),
    ])
    await pool.query('DROP TABLE migrations')
    expect(await found(database, 'schema')).toEqual([
      'error: table migrations is missing',
      'error: index migrations_pkey is missing',
    ])
  })

  it('tells timeouts of the server under which appends would run', async () => {
    const place = postgresPlace()
    const { Pool } = await import('pg')
    const pool = new Pool({
      connectionString: place.url.split('?')[0],
      options: '-c statement_timeout=4000',
    })
    const database = place.connect({ pool })
    onTestFinished(() => database.close())
    await database.open(systemRuntime())
    expect(await found(database, 'timeouts', 'schema')).toEqual([
      'error: there are no tables of Thence',
      'notice: of the server or the role: statement_timeout 4000 ms',
    ])
  })

  it.each([
    ['0', 'notice: client_connection_check_interval is 0: '],
    ['2s', 'ok: looked for every 2s while a statement runs'],
  ])('tells whether a write outlives its process: looked for every %s', async (interval, text) => {
    const place = postgresPlace()
    onTestFinished(() => place.dispose())
    const { Pool } = await import('pg')
    const pool = new Pool({
      connectionString: place.url.split('?')[0],
      options: `-c client_connection_check_interval=${interval}`,
    })
    const database = place.connect({ pool })
    onTestFinished(() => database.close())
    await database.open(systemRuntime())
    expect(await found(database, 'lost clients')).toEqual([expect.stringContaining(text)])
  })

  it('calls whatever may lose what was confirmed an error', async () => {
    const place = postgresPlace()
    const { Pool } = await import('pg')
    const pool = new Pool({
      connectionString: place.url.split('?')[0],
      options: '-c synchronous_commit=off',
    })
    const database = place.connect({ pool, synchronous: 'off' })
    onTestFinished(() => database.close())
    await database.open(systemRuntime())
    const durability = await found(database, 'durability')
    expect(durability).toContain(
      'error: synchronous_commit is off: a crash may take the last commits, which were confirmed',
    )
    // The server of these tests does not wait for its disk; one of the user's may.
    const { rows } = await pool.query('SHOW fsync')
    const fsync = 'error: fsync is off: a power cut may damage the whole database'
    expect(durability.includes(fsync)).toBe(rows[0].fsync === 'off')
  })
})
