// An app that moves: it goes on in the new store with its sagas, dead letters, views and tables as if it had stayed.
import { documents, event, plain, projection, query, tables } from 'thence'
import { copyStore, deadLetters, redrive, sagas } from 'thence/admin'
import type { Database } from 'thence'
import { testApp, virtualRuntime } from 'thence/testing'
import { describe, expect, onTestFinished, test } from 'vitest'
import { postgresPlace } from '../kit/postgres.ts'
import { CountOrders, noTrouble, PlaceOrder, stocked } from '../kit/troubled-shop.ts'
import { writeTrouble } from '../kit/troubled-store.ts'
import type { Kept } from './stores.ts'
import { leave, stores } from './stores.ts'

/** Opened beside the app that ran on it, or will. */
const moved = async (from: Kept, to: Kept): Promise<readonly string[]> => {
  const source = await from.open()
  await leave(source)
  const target = await to.open()
  const { rebuilds } = await copyStore({ database: source, runtime: from.runtime }, target)
  return rebuilds
}

test('sagas, letters and views go on in PostgreSQL', async () => {
  const [from, to] = [stores.sqlite(), stores.postgres()]
  await writeTrouble(from.connect(), from.runtime)
  expect(await moved(from, to)).toEqual([])
  const shop = await testApp((builder) => stocked(builder, noTrouble()), {
    database: to.connect(),
    runtime: to.runtime,
  })
  const on = { database: shop.app.database, runtime: to.runtime }
  const letters = await deadLetters(on, { state: 'parked' })
  expect(letters.map(({ subscription }) => subscription).sort()).toEqual(['mailer', 'totals'])
  for (const { id } of letters) await redrive(on, id)
  await shop.app.send(PlaceOrder({ orderId: '9' }))
  await shop.settle()
  expect(await shop.app.ask(CountOrders({}))).toEqual({ orders: 6 })
  expect(await deadLetters(on, { state: 'parked' })).toEqual([])
  expect((await sagas(on)).map(({ key }) => key)).toEqual(['3'])
  await shop.stop()
})

const Sold = event('Sold', plain<{ readonly item: string }>())
const Items = query('Items', { input: plain<null>(), output: plain<number>() })
const Versions = query('Versions', { input: plain<null>(), output: plain<number>() })

const fixed = projection('fixed', {
  view: tables({
    create: ['CREATE TABLE IF NOT EXISTS sold (item text PRIMARY KEY)'],
    clear: ['DELETE FROM sold'],
  }),
  on: (on) =>
    on(
      Sold,
      async ({ data }, view) => void (await view.run(`INSERT INTO sold VALUES ('${data.item}')`)),
    ),
  answers: (on) => on(Items, async (_, view) => (await view.all('SELECT * FROM sold')).length),
})
const byVersion = projection('byVersion', {
  view: tables({
    create: (table) => [`CREATE TABLE IF NOT EXISTS ${table()} (item text PRIMARY KEY)`],
    drop: (table) => [`DROP TABLE IF EXISTS ${table()}`],
  }),
  on: (on) =>
    on(
      Sold,
      async ({ data }, view) =>
        void (await view.run(`INSERT INTO ${view.table()} VALUES ('${data.item}')`)),
    ),
  answers: (on) =>
    on(Versions, async (_, view) => (await view.all(`SELECT * FROM ${view.table()}`)).length),
})
const asDocuments = projection('asDocuments', {
  view: documents<number>(),
  on: (on) => on(Sold, ({ data }, view) => view.put(data.item, 1)),
})

describe('views in tables', () => {
  const shop = (kept: Kept) =>
    testApp((builder) => builder.use(fixed, byVersion, asDocuments), {
      database: kept.connect(),
      runtime: kept.runtime,
    })

  test('are built anew in the new store, whichever of their versions served', async () => {
    const [from, to] = [stores.sqlite(), stores.postgres()]
    const before = await shop(from)
    await before.app.append({ events: [Sold({ item: 'tea' }), Sold({ item: 'bun' })] })
    await before.settle()
    const rebuilt = before.app.rebuild('byVersion', { keep: Infinity })
    await before.settle()
    await rebuilt
    await before.stop()
    expect(await moved(from, to)).toEqual(['byVersion', 'fixed'])
    const after = await shop(to)
    await after.app.append({ events: [Sold({ item: 'jam' })] })
    await after.settle()
    expect(await after.app.ask(Items(null))).toBe(3)
    expect(await after.app.ask(Versions(null))).toBe(3)
    await after.stop()
  })

  test('that could not be whole are told of before anything is copied', async () => {
    const [from, to] = [stores.sqlite(), stores.postgres()]
    const before = await shop(from)
    await before.app.append({ stream: 's', events: [Sold({ item: 'tea' }), Sold({ item: 'bun' })] })
    await before.settle()
    await before.stop()
    const source = await from.open()
    await source.transact(({ events }) => events.trim('s', { through: 1, limit: 1 }))
    const target = await to.open()
    await expect(copyStore({ database: source }, target)).rejects.toMatchObject({
      code: 'HISTORY_TRUNCATED',
      details: { projection: 'byVersion' },
    })
    const { rebuilds } = await copyStore({ database: source }, target, { truncated: true })
    expect(rebuilds).toEqual(['byVersion', 'fixed'])
  })

  test('are refused where two stores of one database would share them, before anything is there', async () => {
    const runtime = virtualRuntime()
    const [from, to] = [postgresPlace(runtime), postgresPlace(runtime)]
    onTestFinished(() => from.dispose())
    onTestFinished(() => to.dispose())
    const before = await testApp((builder) => builder.use(byVersion), {
      database: from.connect(),
      runtime,
    })
    await before.app.append({ events: Sold({ item: 'tea' }) })
    await before.settle()
    await before.stop()
    const opened = async (database: Database): Promise<Database> => {
      await database.open(runtime)
      onTestFinished(() => database.close())
      return database
    }
    const source = await opened(from.connect())
    await leave(source)
    const views = `${from.schema}_views`
    const target = await opened(to.connect({ views }))
    await expect(copyStore({ database: source }, target)).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
      message: expect.stringContaining('&views='),
      details: { schema: views, projections: ['byVersion'] },
    })
    expect((await target.plan()).current).toBe(0)
    const { rebuilds } = await copyStore({ database: source }, await opened(to.connect()))
    expect(rebuilds).toEqual(['byVersion'])
  })
})
