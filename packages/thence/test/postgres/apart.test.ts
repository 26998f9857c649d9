// What is asked and appended in one call, without a transaction around: it waits no longer than is said, leaves nothing behind, and gets along
// with one connection.
import type { Database } from 'thence'
import type { VirtualRuntime } from 'thence/testing'
import { virtualRuntime } from 'thence/testing'
import { Pool } from 'pg'
import { expect, inject, it, onTestFinished, vi } from 'vitest'
import { messages } from '../../src/conformance/samples.ts'
import type { PostgresOptions } from 'thence/postgres'
import { postgresPlace } from '../kit/postgres.ts'

interface Open {
  readonly database: Database
  readonly runtime: VirtualRuntime
  /** That of the store. */
  readonly pool: Pool
  readonly beside: Pool
}

const open = async (options: Partial<PostgresOptions> = {}, max = 4): Promise<Open> => {
  const place = postgresPlace()
  onTestFinished(() => place.dispose())
  const beside = place.pool()
  onTestFinished(() => beside.end())
  const runtime = virtualRuntime()
  const pool = new Pool({
    connectionString: inject('postgres'),
    max,
    application_name: place.schema,
  })
  const database = place.connect({ ...options, pool, listen: false })
  onTestFinished(() => database.close())
  await database.open(runtime)
  await database.migrate()
  return { database, runtime, pool, beside }
}

const head = (database: Database): Promise<number> =>
  database.read(({ events }) => events.head(), { apart: true })

const append = (database: Database, id: string) =>
  database.append([{ stream: 's', messages: messages(id) }])

/** Sessions of the store that wait for a lock. */
const waiting = async ({ pool, beside }: Open): Promise<number> => {
  const { rows } = await beside.query<{ many: number }>(
    "SELECT count(*)::integer AS many FROM pg_stat_activity WHERE application_name = $1 AND wait_event_type = 'Lock'",
    [pool.options.application_name],
  )
  return rows[0]!.many
}

it('a read that is given up leaves one session at it, and those after it are ended by the server', async () => {
  const opened = await open({ lockTimeout: 50, transactionTimeout: 1000 })
  const { database, runtime, beside } = opened
  const client = await beside.connect()
  await client.query('BEGIN; LOCK TABLE events IN ACCESS EXCLUSIVE MODE')
  const given = head(database)
  given.catch(() => undefined)
  await vi.waitFor(async () => expect(await waiting(opened)).toBe(1))
  await runtime.advance(1000)
  await expect(given).rejects.toMatchObject({ code: 'TRANSACTION_TIMEOUT' })
  for (const _ of [1, 2, 3])
    await expect(head(database)).rejects.toMatchObject({ code: 'STORE_BUSY' })
  expect(await waiting(opened)).toBe(1)
  await client.query('ROLLBACK')
  client.release()
  expect(await head(database)).toBe(0)
})

it('an append of one message that waited in vain leaves no setting in its session', async () => {
  const { database, pool, beside } = await open({ lockTimeout: 50 }, 1)
  const left = async () => (await pool.query('SHOW lock_timeout')).rows
  const client = await beside.connect()
  await client.query('BEGIN')
  const schema = await client.query<{ name: string }>('SELECT current_schema() AS name')
  await client.query('SELECT pg_advisory_xact_lock(hashtextextended($1, 0))', [
    `"${schema.rows[0]!.name}".append`,
  ])
  await expect(append(database, 'a')).rejects.toMatchObject({ code: 'STORE_BUSY' })
  expect(await left()).toEqual([{ lock_timeout: '0' }])
  await client.query('ROLLBACK')
  client.release()
  expect(await append(database, 'a')).toMatchObject([{ outcome: 'appended', version: 1 }])
  expect(await append(database, 'a')).toMatchObject([{ outcome: 'duplicate', version: 1 }])
  expect(await left()).toEqual([{ lock_timeout: '0' }])
})

it('where there is one connection, appends, reads and transactions go one after the other', async () => {
  const { database } = await open({}, 1)
  const many = Array.from({ length: 20 }, (_, index) => index)
  await Promise.all(
    many.map(async (n) => {
      await append(database, `a-${n}`)
      await head(database)
      await database.transact(({ events }) =>
        events.append({ stream: 't', messages: messages(`t-${n}`) }),
      )
    }),
  )
  const page = await database.read(({ events }) => events.readAll({ limit: 100 }), { apart: true })
  const versionsOf = (name: string): readonly number[] =>
    page.messages.filter(({ stream }) => stream === name).map(({ version }) => version)
  const counted = many.map((n) => n + 1)
  expect([versionsOf('s'), versionsOf('t')]).toEqual([counted, counted])
  expect(page.messages.map(({ position }) => position)).toEqual(
    Array.from({ length: 40 }, (_, index) => index + 1),
  )
})

it('a question that fails takes those beside it with it, and the next one is answered', async () => {
  const { database, pool } = await open({}, 1)
  const both = database.read(
    ({ events, timers }) => Promise.all([timers.list({ after: '\0', limit: 1 }), events.head()]),
    { apart: true },
  )
  await expect(both).rejects.toMatchObject({ code: 'STORE_FAILED' })
  expect(await append(database, 'a')).toMatchObject([{ outcome: 'appended' }])
  expect(await head(database)).toBe(1)
  expect(pool.totalCount).toBe(1)
})

it('an append of one message is refused where it would be blind to what was committed', async () => {
  const { database, beside } = await open()
  await append(database, 'a')
  const call =
    "SELECT append_one(NULL, 's', -2, 'event', 'T', 1, 'b', 0, '{}', NULL, NULL, NULL, NULL, '{}')"
  const client = await beside.connect()
  for (const level of ['REPEATABLE READ', 'SERIALIZABLE']) {
    await client.query(`BEGIN ISOLATION LEVEL ${level}`)
    await expect(client.query(call)).rejects.toMatchObject({ code: '25001' })
    await client.query('ROLLBACK')
  }
  client.release()
  expect(await head(database)).toBe(1)
})
