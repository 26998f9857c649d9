// An app on PostgreSQL for tests of transactions that a user holds: orders that an aggregate refuses above ten, a view that changes with
// them, and parcels that a handler packs. Beside its tables stands one of the user's own.
import type { Pool, PoolClient } from 'pg'
import type { AppBuilder } from 'thence'
import {
  aggregate,
  command,
  documents,
  event,
  handler,
  plain,
  projection,
  query,
  reject,
} from 'thence'
import type { PostgresOptions } from 'thence/postgres'
import { type TestApp, testApp, virtualRuntime } from 'thence/testing'
import { inject, onTestFinished } from 'vitest'
import { all } from '../places.ts'
import { postgresPlace, type PostgresPlace } from '../postgres.ts'
import type { Library, Where } from './libraries.ts'

const Amount = plain<{ id: string; n: number }>()
export const Ordered = event('Ordered', Amount)
export const Packed = event('Packed', Amount)
export const Order = command('Order', Amount)
export const Pack = command('Pack', Amount)
export const Total = query('Total', { input: plain<string>(), output: plain<number>() })

const order = aggregate('order', {
  initial: () => ({ sum: 0 }),
  evolve: (on) => on(Ordered, ({ sum }, { data }) => ({ sum: sum + data.n })),
  decide: (on) =>
    on(Order, ({ sum }, { data }) => {
      if (sum + data.n > 10) throw reject('TOO_MUCH', `${sum} and ${data.n} are too much.`)
      return Ordered(data)
    }),
  stream: ({ data }) => data.id,
})

/** Without `inline` appends of others need not wait for more than an append. */
const total = (inline: boolean) =>
  projection('total', {
    view: documents<number>(),
    inline,
    on: (on) =>
      on(Ordered, ({ data: { id, n } }, view) => view.update(id, (before = 0) => before + n)),
    answers: (on) => on(Total, async (id, view) => (await view.get(id)) ?? 0),
  })

const packing = handler('packing', Pack, ({ data }, { append }) =>
  append(`parcel-${data.id}`, Packed(data)),
)

const build = (inline: boolean) => (builder: AppBuilder) =>
  builder.use(order, total(inline), packing).messages(Packed)

type Test = TestApp<'Order' | 'Pack', 'Total'>

export interface Shop {
  readonly app: Test['app']
  readonly test: Test
  readonly place: PostgresPlace
  readonly where: Where
  /** For what a test does beside the app and the user. */
  readonly beside: Pool
  /** The ids of the user's rows that begin with `prefix`. */
  orders(prefix: string): Promise<readonly string[]>
  /** Where the log ends. */
  head(): Promise<number>
  /** The ids of what waits for its time and belongs to `id`. */
  waiting(id: string): Promise<readonly string[]>
  close(): Promise<void>
}

export interface ShopOptions extends Partial<Omit<PostgresOptions, 'schema' | 'pool'>> {
  readonly inline?: boolean
}

export const openShop = async ({ inline = true, ...options }: ShopOptions = {}): Promise<Shop> => {
  const runtime = virtualRuntime()
  const place = postgresPlace(runtime)
  const beside = place.pool()
  const test = await testApp(build(inline), { runtime, database: place.connect(options) })
  await beside.query('CREATE TABLE orders (id text PRIMARY KEY)')
  const { rows } = await beside.query<{ name: string }>('SELECT current_schema() AS name')
  return {
    app: test.app,
    test,
    place,
    where: { url: inject('postgres'), schema: rows[0]!.name },
    beside,
    orders: async (prefix) => {
      const text = 'SELECT id FROM orders WHERE starts_with(id, $1) ORDER BY id'
      const found = await beside.query<{ id: string }>(text, [prefix])
      return found.rows.map(({ id }) => id)
    },
    head: async () => (await all(test.app.log({ backwards: true, limit: 1 })))[0]?.position ?? 0,
    waiting: async (id) => {
      const { timers } = await test.app.schedules.list()
      return timers.map((timer) => timer.id).filter((timer) => timer.includes(id))
    },
    async close() {
      await test.stop()
      await beside.end()
      await place.dispose()
    },
  }
}

/** Open for one test. */
export const shopOfTest = async (options?: ShopOptions): Promise<Shop> => {
  const shop = await openShop(options)
  onTestFinished(() => shop.close())
  return shop
}

/** A library of one test. */
export const libraryOfTest = (shop: Shop, open: (where: Where) => Library): Library => {
  const library = open(shop.where)
  onTestFinished(async () => void (await library.close()))
  return library
}

export const ordered = (id: string) => ({ stream: id, events: Ordered({ id, n: 1 }) })

/** A connection of the user's; closed when the test is over. */
export const clientOf = async (shop: Shop): Promise<PoolClient> => {
  const client = await shop.beside.connect()
  // Without a listener one that the server ends would end the tests.
  client.on('error', () => undefined)
  onTestFinished(() => client.release(true))
  return client
}

export const begun = async (shop: Shop): Promise<PoolClient> => {
  const client = await clientOf(shop)
  await client.query('BEGIN')
  return client
}
