// A user's own SQL on PostgreSQL: a statement that fails costs nothing but itself, and values come in the types of the port.
import type { Database } from 'thence'
import { virtualRuntime } from 'thence/testing'
import { expect, it, onTestFinished } from 'vitest'
import { postgresPlace } from '../kit/postgres.ts'

const open = async (): Promise<Database> => {
  const place = postgresPlace()
  onTestFinished(() => place.dispose())
  const database = place.connect()
  onTestFinished(() => database.close())
  await database.open(virtualRuntime())
  await database.migrate()
  return database
}

it('a transaction goes on after a statement that was refused', async () => {
  const database = await open()
  await database.transact(async ({ sql, documents }) => {
    await documents.put('c', 'before', '{}')
    await sql.run('CREATE TABLE one (id integer PRIMARY KEY)')
    await sql.run('INSERT INTO one VALUES (1)')
    const failing = [
      'INSERT INTO one VALUES (1)',
      'SELECT 1 / 0',
      'SELECT * FROM nothing',
      'SELECT 1; SELECT 2',
    ]
    for (const text of failing)
      await expect(async () => sql.run(text)).rejects.toMatchObject({ code: 'SQL_FAILED' })
    await documents.put('c', 'after', '{}')
  })
  const keys = await database.read(({ documents }) => documents.list('c', { limit: 9 }))
  expect(keys.map(({ key }) => key)).toEqual(['after', 'before'])
  expect(await database.read(({ sql }) => sql.all('SELECT id FROM one'))).toEqual([{ id: 1 }])
})

it('what is asked for beside a statement that fails is not lost with it', async () => {
  const database = await open()
  await database.transact(async ({ sql, documents }) => {
    const failing = async (): Promise<number> => sql.run('SELECT 1 / 0')
    const [failed] = await Promise.allSettled([
      failing(),
      documents.put('c', 'a', '{}'),
      documents.put('c', 'b', '{}'),
    ])
    expect(failed).toMatchObject({ status: 'rejected', reason: { code: 'SQL_FAILED' } })
  })
  const keys = await database.read(({ documents }) => documents.list('c', { limit: 9 }))
  expect(keys.map(({ key }) => key)).toEqual(['a', 'b'])
})

it('values come in the types of the port, and nothing is rounded', async () => {
  const database = await open()
  const text =
    "SELECT 9007199254740993::bigint AS big, 7::bigint AS small, true AS yes, 1.5::float8 AS real, '1.10'::numeric AS exact, " +
    "'\\x00ff'::bytea AS bytes, DATE '2026-01-02' AS day, '{\"a\":1}'::jsonb AS json, NULL AS nothing"
  const [row] = await database.read(({ sql }) => sql.all(text))
  expect(row).toEqual({
    big: 9_007_199_254_740_993n,
    small: 7,
    yes: 1,
    real: 1.5,
    exact: '1.10',
    bytes: new Uint8Array([0, 255]),
    day: '2026-01-02',
    json: '{"a": 1}',
    nothing: null,
  })
})

it('a read does not write by SQL either', async () => {
  const database = await open()
  await database.transact(({ sql }) => sql.run('CREATE TABLE one (id integer)'))
  const writing = database.read(({ sql }) => sql.all('INSERT INTO one VALUES (1) RETURNING id'))
  await expect(writing).rejects.toMatchObject({ code: 'STORE_READ_ONLY' })
})
