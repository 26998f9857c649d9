// Where the tables of views are: those of two stores in one database apart, a user's own tables still found, and nothing of it left in a session.
import { randomUUID } from 'node:crypto'
import { Pool } from 'pg'
import type { Database } from 'thence'
import { app, event, plain, projection, query, tables } from 'thence'
import type { PostgresOptions } from 'thence/postgres'
import { postgres } from 'thence/postgres'
import { describe, expect, inject, it, onTestFinished, vi } from 'vitest'
import { migrations } from '../../src/adapters/postgres/migrations/all.ts'
import { Texts } from '../../src/adapters/postgres/texts.ts'
import { systemRuntime } from '../../src/app/system-runtime.ts'

const Sold = event('Sold', plain<{ readonly item: string }>())
const Items = query('Items', { input: plain<null>(), output: plain<readonly string[]>() })

const sold = projection('sold', {
  view: tables({
    create: (table) => [
      `CREATE TABLE IF NOT EXISTS ${table()} (item text)`,
      `CREATE INDEX IF NOT EXISTS ${table('by_item')} ON ${table()} (item)`,
    ],
    drop: (table) => [`DROP TABLE IF EXISTS ${table()}`],
  }),
  on: (on) =>
    on(
      Sold,
      async ({ data }, view) =>
        void (await view.run(`INSERT INTO ${view.table()} VALUES ($1)`, data.item)),
    ),
  answers: (on) =>
    on(Items, async (_, view) =>
      (await view.all<{ item: string }>(`SELECT item FROM ${view.table()} ORDER BY 1`)).map(
        ({ item }) => item,
      ),
    ),
})

/** A database of the server's, so that what its `public` holds is the test's own, with pools as anybody makes them. */
const place = async () => {
  const server = new Pool({ connectionString: inject('postgres'), max: 1 })
  const name = `views_${randomUUID().replaceAll('-', '')}`
  await server.query(`CREATE DATABASE ${name}`)
  const url = new URL(inject('postgres'))
  url.pathname = `/${name}`
  const options = '-c client_min_messages=warning'
  const pool = (): Pool => new Pool({ connectionString: url.href, max: 4, options })
  const beside = pool()
  onTestFinished(async () => {
    await beside.end()
    // The last sessions end a moment after their connections.
    await vi.waitFor(() => server.query(`DROP DATABASE ${name}`), { timeout: 10_000, interval: 20 })
    await server.end()
  })
  const connect = (more: Partial<PostgresOptions> = {}): Database => {
    const database = postgres({ pool: pool(), ...more })
    onTestFinished(() => database.close())
    return database
  }
  const open = async (more: Partial<PostgresOptions> = {}): Promise<Database> => {
    const database = connect(more)
    await database.open(systemRuntime())
    return database
  }
  /** The tables of the user's SQL, with their schemas. */
  const found = async (): Promise<readonly string[]> => {
    const { rows } = await beside.query<{ name: string }>(
      "SELECT schemaname || '.' || tablename AS name FROM pg_tables WHERE schemaname ~ 'views|public' ORDER BY 1",
    )
    return rows.map((row) => row.name)
  }
  return { beside, connect, open, found }
}

const start = async (database: Database) => {
  const shop = await app({ database, logger: false }).use(sold).start()
  onTestFinished(() => shop.stop())
  return shop
}

const migrated = async (database: Database): Promise<Database> => {
  await database.migrate()
  return database
}

describe('two stores in one database', () => {
  it('have tables of their own for views of one name, also while one is rebuilt and dropped', async () => {
    const { connect, found } = await place()
    const one = await start(connect({ schema: 'one' }))
    const two = await start(connect({ schema: 'two' }))
    await one.append({ events: Sold({ item: 'tea' }) })
    const { position } = await two.append({ events: Sold({ item: 'bun' }) })
    expect(await one.ask(Items(null), { after: position })).toEqual(['tea'])
    expect(await two.ask(Items(null), { after: position })).toEqual(['bun'])
    await one.rebuild('sold', { keep: 0 })
    expect(await one.ask(Items(null))).toEqual(['tea'])
    expect(await two.ask(Items(null))).toEqual(['bun'])
    expect(await found()).toEqual(expect.arrayContaining(['one_views.sold@2', 'two_views.sold']))
    expect(await found()).not.toContainEqual(expect.stringMatching(/^public/))
  })

  it('that were given one schema are told of by the doctor', async () => {
    const { open } = await place()
    await migrated(await open({ schema: 'one', views: 'shared' }))
    const two = await migrated(await open({ schema: 'two', views: 'shared' }))
    const findings = await two.diagnose?.()
    expect(findings?.filter(({ check }) => check === 'views')).toMatchObject([
      {
        state: 'warning',
        text: 'the schema "shared" is also that of the store in "one": views of one name share their tables',
      },
    ])
  })
})

describe('names without a schema', () => {
  it('lead to a table of the user behind it, and what drops does not', async () => {
    const { beside, open } = await place()
    await beside.query('CREATE TABLE prices (item text, pence integer)')
    await beside.query("INSERT INTO prices VALUES ('tea', 250)")
    const database = await migrated(await open())
    await database.transact(async ({ sql }) => {
      expect(await sql.all('SELECT pence FROM prices')).toEqual([{ pence: 250 }])
      await sql.run('CREATE TABLE IF NOT EXISTS prices (item text, pence integer)')
      expect(await sql.all('SELECT pence FROM prices')).toEqual([])
      await sql.run('DROP TABLE IF EXISTS prices')
      await sql.run('/* again */ DROP TABLE IF EXISTS prices')
      expect(await sql.all('SELECT pence FROM prices')).toEqual([{ pence: 250 }])
      await expect(async () => sql.run('DROP TABLE prices')).rejects.toMatchObject({
        code: 'SQL_FAILED',
      })
      expect(await sql.all('SELECT pence FROM prices')).toEqual([{ pence: 250 }])
      await sql.run('DROP TABLE public.prices')
    })
    expect((await beside.query("SELECT to_regclass('public.prices') AS there")).rows).toEqual([
      { there: null },
    ])
  })

  it('go on to lead there after a savepoint was rolled back, whichever came first', async () => {
    const { open, found } = await place()
    const database = await migrated(await open())
    const failing = (work: () => unknown) => async (): Promise<void> => {
      await work()
      throw new Error('no')
    }
    await database.transact(async (transaction) => {
      const { sql } = transaction
      const first = transaction.savepoint(failing(() => sql.run('CREATE TABLE a (x integer)')))
      await expect(first).rejects.toThrow('no')
      await sql.run('CREATE TABLE b (x integer)')
      const second = transaction.savepoint(failing(() => sql.run('CREATE TABLE c (x integer)')))
      await expect(second).rejects.toThrow('no')
      await expect(async () => sql.run('SELECT 1 / 0')).rejects.toMatchObject({
        code: 'SQL_FAILED',
      })
      await transaction.savepoint(() => sql.run('CREATE TABLE d (x integer)'))
    })
    expect(await found()).toEqual(['thence_views.b', 'thence_views.d'])
  })

  it('leave nothing in the session, whether the transaction went well or not', async () => {
    const { beside, open } = await place()
    const pool = new Pool({ ...beside.options, max: 1 })
    const database = await migrated(await open({ pool, listen: false }))
    const path = async (): Promise<unknown> => (await pool.query('SHOW search_path')).rows[0]
    const before = await path()
    await database.transact(({ sql }) => sql.run('CREATE TABLE a (x integer)'))
    expect(await path()).toEqual(before)
    await database.transact(({ sql }) => sql.run('DROP TABLE a'))
    expect(await path()).toEqual(before)
    const failed = database.transact(({ sql }) => sql.run('SELECT * FROM nothing'))
    await expect(failed).rejects.toMatchObject({ code: 'SQL_FAILED' })
    expect(await path()).toEqual(before)
    await database.read(({ sql }) => sql.all('SELECT 1'))
    expect(await path()).toEqual(before)
  })

  it('lead to the schema also where the session has no path at all', async () => {
    const { beside, open, found } = await place()
    const pool = new Pool({ ...beside.options, max: 1, options: '-c search_path=' })
    const database = await migrated(await open({ pool, listen: false }))
    await database.transact(({ sql }) => sql.run('CREATE TABLE a (x integer)'))
    expect(await found()).toEqual(['thence_views.a'])
  })
})

describe('the schema', () => {
  it('is the one that the store was made with, whoever opens it', async () => {
    const { open, found } = await place()
    await migrated(await open({ views: 'public' }))
    const later = await open()
    await later.transact(({ sql }) => sql.run('CREATE TABLE a (x integer)'))
    expect(await found()).toEqual(['public.a'])
    const other = await open({ views: 'elsewhere' })
    await expect(other.read(() => 1)).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
      details: { views: 'public' },
    })
  })

  it('of a store that was there before is where its tables are', async () => {
    const { beside, open, found } = await place()
    await migrated(await open({ schema: 'shop' }))
    await beside.query('DELETE FROM shop.migrations WHERE number = 4')
    await beside.query("DELETE FROM shop.meta WHERE key = 'views'; DROP SCHEMA shop_views")
    const shop = await open({ schema: 'shop' })
    await shop.transact(({ sql }) => sql.run('CREATE TABLE sold (item text)'))
    expect((await shop.migrate()).pending.map(({ number }) => number)).toEqual([4])
    await shop.transact(({ sql }) => sql.run("INSERT INTO sold VALUES ('tea')"))
    expect((await beside.query('SELECT item FROM public.sold')).rows).toEqual([{ item: 'tea' }])
    expect(await found()).toEqual(['public.sold'])
    const findings = (await shop.diagnose?.())?.filter(({ check }) => check === 'views')
    expect(findings).toMatchObject([{ state: 'ok', text: 'tables in "public"' }])
  })

  it('that still holds tables of a store that was dropped is not taken for a new one', async () => {
    const { beside, open } = await place()
    const before = await migrated(await open())
    await before.transact(({ sql }) => sql.run('CREATE TABLE sold (item text)'))
    await beside.query('DROP SCHEMA thence CASCADE')
    const refused = { code: 'CONFIG_INVALID', message: expect.stringContaining('is something') }
    await expect((await open()).migrate()).rejects.toMatchObject({
      ...refused,
      message: expect.stringContaining('DROP SCHEMA "thence_views" CASCADE'),
    })
    await migrated(await open({ views: 'thence_views' }))
  })

  it('that is gone is told of, and names do not lead elsewhere', async () => {
    const { beside, open } = await place()
    const database = await migrated(await open())
    await beside.query('DROP SCHEMA thence_views')
    const lost = database.transact(({ sql }) => sql.run('CREATE TABLE a (x integer)'))
    await expect(lost).rejects.toMatchObject({ code: 'STORE_REFUSED' })
    const findings = (await database.diagnose?.())?.filter(({ check }) => check === 'views')
    expect(findings).toMatchObject([
      { state: 'error', text: 'the schema "thence_views" is not there' },
    ])
  })

  it('has a name that the server takes, however long that of the store is', async () => {
    const { open } = await place()
    const schema = 's'.repeat(63)
    const database = await migrated(await open({ schema }))
    await database.transact(({ sql }) => sql.run('CREATE TABLE a (x integer)'))
    const views = new Texts(schema).views
    expect(views).toHaveLength(63)
    const rows = await database.read(({ sql }) => sql.all(`SELECT * FROM ${views}.a`))
    expect(rows).toEqual([])
  })

  it('is part of what a migration says that it does', () => {
    const script = new Texts('shop').of(migrations.at(-1)!.script)
    expect(script).toContain('CREATE SCHEMA "shop_views"')
  })

  it.each([[{ views: 'Views' }], [{ views: 'pg_views' }], [{ schema: 'shop', views: 'shop' }]])(
    'has a plain name of its own: %j',
    (options) => {
      const pool = new Pool({ max: 1 })
      expect(() => postgres({ pool, ...options })).toThrow(
        expect.objectContaining({ code: 'CONFIG_INVALID' }),
      )
    },
  )
})
