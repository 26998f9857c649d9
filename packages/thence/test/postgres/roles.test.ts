// Roles with only what they need: an app runs under one that owns nothing, another one only looks, and neither may do more.
import { randomUUID } from 'node:crypto'
import { Pool } from 'pg'
import { app, command, aggregate, documents, event, plain, projection, tables } from 'thence'
import { status } from 'thence/admin'
import type { PostgresOptions } from 'thence/postgres'
import { grants, postgres } from 'thence/postgres'
import { expect, inject, it, onTestFinished } from 'vitest'
import { grantedTables } from '../../src/adapters/postgres/grants.ts'
import { systemRuntime } from '../../src/app/system-runtime.ts'
import { postgresPlace } from '../kit/postgres.ts'

const Placed = event('Placed', plain<{ id: string }>())
const Mailed = event('Mailed', plain<{ id: string }>())
const Place = command('Place', plain<{ id: string }>())

const order = aggregate('order', {
  initial: () => null,
  evolve: (on) => on(Placed, () => null),
  decide: (on) => on(Place, (_, { data }) => Placed(data)),
  stream: ({ data }) => data.id,
})

const placed = projection('placed', {
  view: documents<{ id: string }>(),
  on: (on) => on(Placed, ({ data }, view) => view.put(data.id, data)),
})

/** A store and two new roles that have what is printed for them. */
const guarded = async () => {
  const place = postgresPlace()
  const owner = new Pool({ connectionString: inject('postgres'), max: 2 })
  const name = randomUUID().replaceAll('-', '')
  const roles = { app: `app_${name}`, reader: `reader_${name}` }
  onTestFinished(async () => {
    await place.dispose()
    for (const role of Object.values(roles)) {
      await owner.query(`DROP OWNED BY ${role}`)
      await owner.query(`DROP ROLE ${role}`)
    }
    await owner.end()
  })
  const store = place.connect()
  await store.open(systemRuntime())
  await store.migrate()
  await store.close()
  for (const role of Object.values(roles))
    await owner.query(`CREATE ROLE ${role} LOGIN PASSWORD 'secret'`)
  await owner.query(grants({ schema: place.schema, ...roles }))
  const poolOf = (role: string): Pool => {
    const url = new URL(inject('postgres'))
    url.username = role
    url.password = 'secret'
    return new Pool({ connectionString: url.href, max: 4 })
  }
  const connect = (role: string, options: Partial<PostgresOptions> = {}) =>
    place.connect({ clock: 'database', pool: poolOf(role), ...options })
  return { place, owner, roles, poolOf, connect }
}

it('an app does all its work under a role that owns nothing', async () => {
  const { connect, roles, place, owner } = await guarded()
  const shop = await app({ database: connect(roles.app), retention: { log: [], inbox: '1d' } })
    .use(order, placed)
    .messages(Mailed)
    .handle('mail', Placed, ({ data }, { append }) => {
      if (data.id === 'bad') throw new Error('no')
      append(`mail-${data.id}`, Mailed(data))
    })
    .start()
  onTestFinished(() => shop.stop())
  await shop.send(Place({ id: '1' }))
  await shop.append({ stream: 'order-2', events: Placed({ id: '2' }) })
  await shop.whenIdle()
  const events = shop.database.transact(({ events: log }) =>
    log.trim('order-2', { through: 1, limit: 9 }),
  )
  expect(await events).toBe(1)
  const [head] = (await owner.query(`SELECT ${place.schema}.last_position() AS head`)).rows
  expect(Number(head.head)).toBeGreaterThanOrEqual(4)
  const { attention, subscriptions } = await status({ database: shop.database })
  expect(attention).toEqual([])
  expect(subscriptions.map(({ name }) => name)).toContain('placed')
})

const written = projection('written', {
  view: tables({
    create: (table) => [`CREATE TABLE IF NOT EXISTS ${table()} (id text PRIMARY KEY)`],
    drop: (table) => [`DROP TABLE IF EXISTS ${table()}`],
  }),
  on: (on) =>
    on(Placed, async ({ data }, view) => {
      await view.run(`INSERT INTO ${view.table()} VALUES ($1)`, data.id)
    }),
})

it('an app makes the tables of its views, which a reader may be let read', async () => {
  const { connect, roles, place, owner } = await guarded()
  const views = `${place.schema}_views`
  const shop = await app({ database: connect(roles.app), logger: false })
    .use(written)
    .start()
  onTestFinished(() => shop.stop())
  await owner.query(
    `ALTER DEFAULT PRIVILEGES FOR ROLE ${roles.app} IN SCHEMA ${views} GRANT SELECT ON TABLES TO ${roles.reader}`,
  )
  await shop.append({ events: Placed({ id: '1' }) })
  await shop.whenIdle()
  const rebuilt = shop.rebuild('written', { keep: Infinity })
  await shop.whenIdle()
  await rebuilt
  const reader = connect(roles.reader)
  onTestFinished(() => reader.close())
  await reader.open(systemRuntime())
  const read = reader.read(({ sql }) => sql.all('SELECT id FROM "written@2"'))
  expect(await read).toEqual([{ id: '1' }])
  const { rows } = await owner.query('SELECT tableowner FROM pg_tables WHERE schemaname = $1', [
    views,
  ])
  expect(new Set(rows.map(({ tableowner }) => tableowner))).toEqual(new Set([roles.app]))
})

it('a role that may not use the schema of the views is told so, and is not led to other tables', async () => {
  const { connect, roles, place, owner } = await guarded()
  const views = `${place.schema}_views`
  await owner.query(`REVOKE ALL ON SCHEMA ${views} FROM ${roles.app}`)
  const database = connect(roles.app)
  onTestFinished(() => database.close())
  await database.open(systemRuntime())
  const refused = {
    code: 'STORE_REFUSED',
    message: expect.stringContaining('thence migrate --roles'),
    details: { schema: views },
  }
  await expect(database.transact(({ sql }) => sql.run('SELECT 1'))).rejects.toMatchObject(refused)
  await expect(database.read(({ sql }) => sql.all('SELECT 1'))).rejects.toMatchObject(refused)
  expect((await database.diagnose?.())?.filter(({ check }) => check === 'views')).toMatchObject([
    { state: 'warning', text: `this role may not use the schema "${views}"` },
  ])
})

it('a reader sees everything and changes nothing', async () => {
  const { connect, roles } = await guarded()
  const database = connect(roles.reader)
  onTestFinished(() => database.close())
  await database.open(systemRuntime())
  expect((await status({ database })).head).toBe(0)
  const refused = {
    code: 'STORE_REFUSED',
    retryable: false,
    message: expect.stringMatching(/may not do this/),
  }
  const write = database.append([{ stream: 's', expected: 'none', messages: [] }])
  await expect(write).rejects.toMatchObject(refused)
  const noted = database.transact(({ documents: notes }) => notes.put('c', 'k', '1'))
  await expect(noted).rejects.toMatchObject(refused)
})

it('the role of an app can neither alter the log nor the tables', async () => {
  const { poolOf, roles, place } = await guarded()
  const pool = poolOf(roles.app)
  onTestFinished(() => pool.end())
  for (const text of [
    "UPDATE events SET data = ''",
    'DELETE FROM migrations',
    "UPDATE meta SET value = ''",
    'TRUNCATE events',
    'DROP TABLE events',
    'CREATE TABLE more (x integer)',
    'ALTER TABLE inbox ADD COLUMN x integer',
  ])
    await expect(
      pool.query(text.replace(/(events|migrations|meta|more|inbox)/, `${place.schema}.$1`)),
    ).rejects.toMatchObject({ code: '42501' })
})

it('a role that may only connect is told what it lacks, by the doctor too', async () => {
  const { place, owner, poolOf, roles, connect } = await guarded()
  await owner.query(`REVOKE ALL ON SCHEMA ${place.schema} FROM ${roles.reader}`)
  const database = connect(roles.reader)
  onTestFinished(() => database.close())
  await database.open(systemRuntime())
  expect((await database.diagnose?.())?.[0]).toMatchObject({
    check: 'schema',
    state: 'error',
    text: 'this role may not look at the tables of Thence',
    advice: expect.stringContaining('thence migrate --reader'),
  })
  const told = {
    code: 'STORE_REFUSED',
    message: expect.stringMatching(/^The role may not migrate the store\. .*owner/),
  }
  await expect(database.migrate()).rejects.toMatchObject(told)
  const elsewhere = postgres({
    pool: poolOf(roles.app),
    schema: `${place.schema.slice(0, 30)}_new`,
  })
  onTestFinished(() => elsewhere.close())
  await elsewhere.open(systemRuntime())
  await expect(elsewhere.migrate()).rejects.toMatchObject({
    code: 'STORE_REFUSED',
    message: expect.stringMatching(
      /CREATE on the database.* PostgreSQL says: permission denied for database/,
    ),
  })
})

it('every table of the store is told of', async () => {
  const { owner, place } = await guarded()
  const { rows } = await owner.query(
    "SELECT relname FROM pg_class WHERE relkind IN ('r', 'p') AND relnamespace = $1::regnamespace",
    [place.schema],
  )
  expect(new Set(rows.map(({ relname }) => relname))).toEqual(new Set(grantedTables))
})
