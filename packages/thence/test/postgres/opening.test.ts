// What a store on PostgreSQL refuses before it is used, and where its tables are.
import { randomUUID } from 'node:crypto'
import type { PostgresOptions } from 'thence/postgres'
import { postgres } from 'thence/postgres'
import { virtualRuntime } from 'thence/testing'
import { Pool } from 'pg'
import { describe, expect, inject, it, onTestFinished } from 'vitest'
import { postgresPlace } from '../kit/postgres.ts'

const place = () => {
  const one = postgresPlace()
  onTestFinished(() => one.dispose())
  return one
}

const poolWith = (settings: string): Pool =>
  new Pool({ connectionString: inject('postgres'), options: settings })

describe('a store on PostgreSQL', () => {
  it.each([
    ['-c synchronous_commit=off', /synchronous_commit is off/],
    ['-c default_transaction_isolation=serializable', /appends need "read committed"/],
  ])('refuses a session with %s', async (settings, why) => {
    const database = place().connect({ pool: poolWith(settings) })
    onTestFinished(() => database.close())
    const opening = async () => database.open(virtualRuntime())
    await expect(opening()).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
      message: expect.stringMatching(why),
    })
  })

  it('takes a server that commits asynchronously if that was accepted', async () => {
    const pool = poolWith('-c synchronous_commit=off')
    const database = place().connect({ pool, synchronous: 'off' })
    onTestFinished(() => database.close())
    await database.open(virtualRuntime())
    await database.migrate()
    expect(await database.append([{ stream: 's', messages: [] }])).toHaveLength(1)
  })

  it.each(['Orders', 'a b', '', 'pg_own', 'x'.repeat(64), 'a"b'])(
    'refuses to live in a schema named %j',
    async (schema) => {
      const pool = poolWith('')
      onTestFinished(() => pool.end())
      const make = () => postgres({ pool, schema } satisfies PostgresOptions)
      expect(make).toThrow(/schema of postgres/)
    },
  )

  it('lives in its own schema, and plans with its name', async () => {
    const at = place()
    const database = at.connect()
    onTestFinished(() => database.close())
    await database.open(virtualRuntime())
    const { pending } = await database.plan()
    const script = pending.map((one) => one.script).join()
    expect(script).toMatch(/CREATE TABLE "t_[0-9a-f]{32}"\.events/)
    expect(script).not.toMatch(/\bthence\./)
    await database.migrate()
    expect((await database.plan()).pending).toEqual([])
  })

  it('lives in the schema thence if nothing else is said', async () => {
    const name = `d_${randomUUID().replaceAll('-', '')}`
    const server = poolWith('')
    onTestFinished(() => server.end())
    await server.query(`CREATE DATABASE ${name}`)
    onTestFinished(async () => void (await server.query(`DROP DATABASE ${name}`)))
    const url = new URL(inject('postgres'))
    url.pathname = name
    const pool = new Pool({ connectionString: url.href })
    const database = postgres({ pool })
    onTestFinished(() => database.close())
    await database.open(virtualRuntime())
    await database.migrate()
    expect(await database.append([{ stream: 's', messages: [] }])).toHaveLength(1)
    const { rows } = await pool.query("SELECT to_regclass('thence.events') IS NOT NULL AS there")
    expect(rows).toEqual([{ there: true }])
  })

  it('is not a store if something of it is missing', async () => {
    const at = place()
    const database = at.connect()
    onTestFinished(() => database.close())
    await database.open(virtualRuntime())
    await database.migrate()
    const pool = at.pool()
    onTestFinished(() => pool.end())
    await pool.query('DROP INDEX events_type')
    await expect(database.plan()).rejects.toMatchObject({ code: 'STORE_CORRUPT' })
    await pool.query('DROP TABLE migrations')
    await expect(database.plan()).rejects.toMatchObject({ code: 'STORE_CORRUPT' })
  })

  it('is refused by a program that is older than it', async () => {
    const at = place()
    const database = at.connect()
    onTestFinished(() => database.close())
    await database.open(virtualRuntime())
    await database.migrate()
    const pool = at.pool()
    onTestFinished(() => pool.end())
    await pool.query("INSERT INTO migrations VALUES (9999, 'later', 0)")
    await expect(database.migrate()).rejects.toMatchObject({ code: 'STORE_TOO_NEW' })
  })

  it('must be migrated first', async () => {
    const database = place().connect()
    onTestFinished(() => database.close())
    await database.open(virtualRuntime())
    const append = database.append([{ stream: 's', messages: [] }])
    await expect(append).rejects.toMatchObject({ code: 'STORE_NOT_MIGRATED' })
    const reading = database.read(({ events }) => events.head())
    await expect(reading).rejects.toMatchObject({ code: 'STORE_NOT_MIGRATED' })
    await expect(database.identity()).rejects.toMatchObject({ code: 'STORE_NOT_MIGRATED' })
  })
})
