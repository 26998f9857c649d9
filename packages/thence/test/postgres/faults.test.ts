// Connections that are cut: what is certain and what is not, and that the store goes on.
import type { Database } from 'thence'
import { virtualRuntime } from 'thence/testing'
import type { Pool } from 'pg'
import { expect, it, onTestFinished } from 'vitest'
import { postgresPlace } from '../kit/postgres.ts'

interface Open {
  readonly database: Database
  readonly beside: Pool
}

const open = async (options: { readonly lockTimeout?: number } = {}): Promise<Open> => {
  const place = postgresPlace()
  onTestFinished(() => place.dispose())
  const beside = place.pool()
  onTestFinished(() => beside.end())
  const database = place.connect(options)
  onTestFinished(() => database.close())
  await database.open(virtualRuntime())
  await database.migrate()
  return { database, beside }
}

it('a transaction whose connection is cut has not happened, and the next one runs', async () => {
  const { database, beside } = await open()
  const cut = database.transact(async ({ documents, sql }) => {
    await documents.put('c', 'lost', '{}')
    const [row] = await sql.all('SELECT pg_backend_pid() AS pid')
    await beside.query('SELECT pg_terminate_backend($1)', [row?.['pid']])
    await documents.put('c', 'late', '{}')
  })
  await expect(cut).rejects.toMatchObject({ code: 'STORE_FAILED' })
  await database.transact(({ documents }) => documents.put('c', 'next', '{}'))
  const keys = await database.read(({ documents }) => documents.list('c', { limit: 9 }))
  expect(keys.map(({ key }) => key)).toEqual(['next'])
})

it('a commit whose connection is cut before its answer is of unknown outcome', async () => {
  const { database, beside } = await open()
  const cut = database.transact(async ({ sql }) => {
    const [row] = await sql.all('SELECT pg_backend_pid() AS pid')
    await beside.query('SELECT pg_terminate_backend($1)', [row?.['pid']])
  })
  await expect(cut).rejects.toMatchObject({ code: 'OUTCOME_UNKNOWN' })
  expect(await database.transact(() => 'next')).toBe('next')
})

it('whoever waits too long for the lock is told that the store is busy', async () => {
  const { database, beside } = await open({ lockTimeout: 50 })
  const client = await beside.connect()
  await client.query('BEGIN')
  const { rows } = await client.query('SELECT current_schema() AS name')
  const { name } = rows[0] as { name: string }
  const lock = 'SELECT pg_advisory_xact_lock(hashtextextended($1, 0))'
  await client.query(lock, [`"${name}".append`])
  const append = { stream: 's', messages: [] }
  await expect(database.append([append])).rejects.toMatchObject({ code: 'STORE_BUSY' })
  await client.query(lock, [`"${name}".write`])
  await expect(database.transact(() => 1)).rejects.toMatchObject({ code: 'STORE_BUSY' })
  await client.query('ROLLBACK')
  client.release()
  expect(await database.append([append])).toMatchObject([{ outcome: 'appended', count: 0 }])
})

it('a transaction that has failed cannot commit, even if the failure was caught', async () => {
  const { database } = await open()
  const failing = database.transact(async ({ documents, timers }) => {
    await documents.put('c', 'k', '{}')
    // What PostgreSQL has no place for.
    await expect(async () => timers.list({ after: '\0', limit: 1 })).rejects.toThrow(
      /null character|invalid byte/,
    )
  })
  await expect(failing).rejects.toMatchObject({ code: 'STORE_FAILED' })
  expect(await database.read(({ documents }) => documents.get('c', 'k'))).toBe(undefined)
})
