// How many connections a process takes, what its sessions are called, and how long the server lets their statements run.
import type { Database } from 'thence'
import { Pool } from 'pg'
import { expect, inject, it, onTestFinished } from 'vitest'
import { systemRuntime } from '../../src/app/system-runtime.ts'
import { messages } from '../../src/conformance/samples.ts'
import type { PostgresPlace } from '../kit/postgres.ts'
import { postgresPlace } from '../kit/postgres.ts'

const opened = async (options: Parameters<PostgresPlace['connect']>[0]) => {
  const place = postgresPlace()
  onTestFinished(() => place.dispose())
  const database = place.connect(options)
  onTestFinished(() => database.close())
  await database.open(systemRuntime())
  await database.migrate()
  const beside = place.pool()
  onTestFinished(() => beside.end())
  return { database, beside }
}

const work = (database: Database, index: number): Promise<unknown>[] => [
  database.append([{ stream: `s-${index}`, messages: messages(`m-${index}`) }]),
  database.transact(({ documents }) => documents.put('c', `k-${index}`, '{}')),
  database.read(({ events }) => events.head()),
]

it('under load a process has never more connections than its pool allows', async () => {
  const name = `budget-${process.pid}`
  const pool = new Pool({ connectionString: inject('postgres'), max: 4, application_name: name })
  const { database, beside } = await opened({ pool })
  const listening = database.listen?.({ heard: () => undefined, lost: () => undefined })
  onTestFinished(() => listening?.stop())
  const count = async (): Promise<number> => {
    const text = 'SELECT count(*)::integer AS n FROM pg_stat_activity WHERE application_name = $1'
    return (await beside.query(text, [name])).rows[0].n
  }
  let done = false
  const load = Promise.all(Array.from({ length: 100 }, (_, index) => work(database, index)).flat())
  const ended = load.finally(() => (done = true))
  const counts = [0]
  while (!done) counts.push(await count())
  await ended
  expect(Math.max(...counts)).toBeGreaterThan(1)
  expect(Math.max(...counts)).toBeLessThanOrEqual(4)
})

it('transactions have a name where the pool gives none, and keep the one that it gives', async () => {
  const named = (database: Database) =>
    database.transact(({ sql }) => sql.all("SELECT current_setting('application_name') AS name"))
  const without = await opened({ pool: new Pool({ connectionString: inject('postgres') }) })
  expect(await named(without.database)).toEqual([{ name: 'thence_store' }])
  const pool = new Pool({ connectionString: inject('postgres'), application_name: 'shop' })
  expect(await named((await opened({ pool })).database)).toEqual([{ name: 'shop' }])
})

it('a statement that takes too long is ended by the server, and nothing of its transaction stays', async () => {
  const { database } = await opened({ statementTimeout: 50 })
  const slow = database.transact(async ({ documents, sql }) => {
    await documents.put('c', 'k', '{}')
    await sql.all('SELECT pg_sleep(600)')
  })
  await expect(slow).rejects.toMatchObject({
    code: 'STORE_FAILED',
    message: expect.stringMatching(/longer than statementTimeout/),
  })
  await expect(database.read(({ sql }) => sql.all('SELECT pg_sleep(600)'))).rejects.toMatchObject({
    code: 'STORE_FAILED',
  })
  expect(await database.read(({ documents }) => documents.get('c', 'k'))).toBe(undefined)
})

it('settings end with their transaction, so that a pooler may hand the session to others', async () => {
  const pool = new Pool({ connectionString: inject('postgres'), max: 1 })
  const { database } = await opened({ pool })
  await Promise.all(work(database, 1))
  const client = await pool.connect()
  const settings = ['statement_timeout', 'lock_timeout', 'idle_in_transaction_session_timeout']
  const { rows } = await client.query(
    "SELECT setting FROM pg_settings WHERE name = ANY ($1) UNION ALL SELECT current_setting('application_name')",
    [settings],
  )
  client.release()
  expect(rows.map(({ setting }) => setting)).toEqual(['0', '0', '0', ''])
})
