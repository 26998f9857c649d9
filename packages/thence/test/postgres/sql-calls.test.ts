// How a user's statement travels: guarded by its savepoint in one call where the library can do that, and with the same outcome where it can't.
import { Pool, type PoolClient } from 'pg'
import type { Database } from 'thence'
import type { PostgresClient, PostgresPool } from 'thence/postgres'
import { virtualRuntime } from 'thence/testing'
import { describe, expect, inject, it, onTestFinished } from 'vitest'
import { postgresPlace } from '../kit/postgres.ts'

/** What is asked of a client; a text, or what `pg` submits. */
type Calls = unknown[]

const noted = (client: PoolClient, calls: Calls, hides: boolean): PostgresClient => {
  const query: PoolClient['query'] = client.query.bind(client)
  return {
    query: (asked: never) => {
      calls.push(asked)
      return query(asked)
    },
    on: client.on.bind(client),
    off: client.off.bind(client),
    release: (destroy?: boolean) => client.release(destroy),
    pipeline: client.pipeline,
    ...(!hides && { connection: client.connection }),
  }
}

interface Way {
  readonly name: string
  readonly pipeline?: boolean
  /** Whether the connection is not to be seen, as behind a library that wraps `pg`. */
  readonly hides?: boolean
}

const ways: readonly Way[] = [
  { name: 'a client of pg' },
  { name: 'a pipelined client', pipeline: true },
  { name: 'a client that only asks', hides: true },
]

const opened = async ({ pipeline = false, hides = false }: Way) => {
  const place = postgresPlace()
  onTestFinished(() => place.dispose())
  const from = new Pool({
    connectionString: inject('postgres'),
    max: 2,
    pipeline,
    query_timeout: 60_000,
    options: '-c client_min_messages=warning',
  })
  const calls: Calls = []
  const pool: PostgresPool = {
    connect: async () => noted(await from.connect(), calls, hides),
    on: (event: never, listener: never) => from.on(event, listener),
    end: () => from.end(),
  }
  const database = place.connect({ pool, listen: false })
  onTestFinished(() => database.close())
  await database.open(virtualRuntime())
  await database.migrate()
  return { database, calls }
}

const keysOf = async (database: Database): Promise<readonly string[]> =>
  (await database.read(({ documents }) => documents.list('c', { limit: 9 }))).map(({ key }) => key)

const refused = { code: 'SQL_FAILED' }

describe.each(ways)('through $name', (way) => {
  it('values arrive as they were sent, and rows as they are', async () => {
    const { database } = await opened(way)
    const bytes = new Uint8Array([0, 1, 255])
    await database.transact(async ({ sql }) => {
      await sql.run('CREATE TABLE one (a text, b bigint, c bytea, d float8, e text)')
      const big = 9_007_199_254_740_993n
      const insert = 'INSERT INTO one VALUES ($1, $2, $3, $4, $5)'
      expect(await sql.run(insert, 'é\n', big, bytes.subarray(1), 1.5, null)).toBe(1)
      expect(await sql.all('SELECT * FROM one')).toEqual([
        { a: 'é\n', b: big, c: bytes.subarray(1), d: 1.5, e: null },
      ])
      expect(await sql.run('UPDATE one SET d = $1 WHERE d = $2', 2, 1.5)).toBe(1)
      expect(await sql.all('SELECT d FROM one WHERE d = $1', 3)).toEqual([])
      expect(await sql.run('DELETE FROM one')).toBe(1)
    })
  })

  it('one that is refused costs nothing but itself, first, last or between others', async () => {
    const { database } = await opened(way)
    await database.transact(async ({ sql, documents }) => {
      await expect(async () => sql.run('SELECT 1 / 0')).rejects.toMatchObject(refused)
      await sql.run('CREATE TABLE one (id integer PRIMARY KEY)')
      await documents.put('c', 'before', '{}')
      await sql.run('INSERT INTO one VALUES (1)')
      for (const text of [
        'INSERT INTO one VALUES (2), (1)',
        'SELEC',
        'SELECT * FROM one WHERE id = $1',
      ])
        await expect(async () => sql.run(text)).rejects.toMatchObject(refused)
      await sql.run('INSERT INTO one VALUES (3)')
      await expect(async () => sql.run('DROP TABLE two')).rejects.toMatchObject(refused)
      await documents.put('c', 'after', '{}')
      await expect(async () => sql.run('SELECT 1; SELECT 2')).rejects.toMatchObject(refused)
    })
    expect(await keysOf(database)).toEqual(['after', 'before'])
    expect(await database.read(({ sql }) => sql.all('SELECT id FROM one ORDER BY 1'))).toEqual([
      { id: 1 },
      { id: 3 },
    ])
  })

  it('none leaves its savepoint behind', async () => {
    const { database } = await opened(way)
    await database.transact(async ({ sql }) => {
      await sql.run('CREATE TABLE one (id integer)')
      for (const id of [1, 2, 3]) await sql.run('INSERT INTO one VALUES ($1)', id)
      await expect(async () => sql.run('SELECT 1 / 0')).rejects.toMatchObject(refused)
      // A savepoint that has written holds an id of its own.
      const own =
        "SELECT count(*) AS ids FROM pg_locks WHERE locktype = 'transactionid' AND pid = pg_backend_pid()"
      expect(await sql.all(own)).toEqual([{ ids: 1 }])
    })
  })

  it('one that ends the session ends the transaction, and one that waits for rows is not sent', async () => {
    const { database } = await opened(way)
    const lost = database.transact(async ({ sql }) => {
      await sql.run('CREATE TABLE one (id integer)')
      await sql.run('SELECT pg_terminate_backend(pg_backend_pid())')
    })
    await expect(lost).rejects.toMatchObject({ code: 'STORE_FAILED' })
    await database.transact(async ({ sql }) => {
      await sql.run('CREATE TABLE one (id integer)')
      const copying = async (): Promise<number> => sql.run('COPY one FROM STDIN')
      await expect(copying).rejects.toMatchObject({ code: 'CONFIG_INVALID' })
      expect(await sql.all('SELECT id FROM one')).toEqual([])
    })
  })
})

it.each([
  [ways[0]!, 1, 2],
  [ways[1]!, 3, 4],
  [ways[2]!, 3, 3],
])('%j: a statement takes so many calls, and one that is refused', async (way, calls, failing) => {
  const { database, calls: made } = await opened(way)
  const took: number[] = []
  await database.transact(async ({ sql }) => {
    for (const text of ['SELECT 1', 'SELECT 2', 'SELECT 1 / 0']) {
      const before = made.length
      await Promise.resolve(sql.all(text)).catch(() => undefined)
      took.push(made.length - before)
    }
  })
  expect(took).toEqual([calls, calls, failing])
})
