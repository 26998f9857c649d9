// A projection's specification passes when the view is right and can be rebuilt, and fails when not.
import { DatabaseSync } from 'node:sqlite'
import { documents, event, plain, projection, query, tables } from 'thence'
import { sqlite } from 'thence/sqlite'
import { given } from 'thence/testing'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'

const orderSchema = z.object({ orderId: z.string() })
const lineSchema = z.object({ orderId: z.string(), amount: z.number().positive() })
const OrderPlaced = event('OrderPlaced', lineSchema)
const OrderShipped = event('OrderShipped', orderSchema)
const StockShort = event('StockShort', orderSchema)
const OrderStatus = query('OrderStatus', {
  input: orderSchema,
  output: z.object({ status: z.string() }),
})
type Status = 'none' | 'placed' | 'shipped'
const orderStatus = projection('orderStatus', {
  view: documents<{ status: Status; amount: number }>(),
  on: (on) =>
    on(OrderPlaced, ({ data }, view) =>
      view.put(data.orderId, { status: 'placed', amount: data.amount }),
    ).on(OrderShipped, ({ data }, view) =>
      view.update(data.orderId, (before) => before && { ...before, status: 'shipped' }),
    ),
  answers: (on) =>
    on(OrderStatus, async ({ orderId }, view) => ({
      status: (await view.get(orderId))?.status ?? 'none',
    })),
})

const line = { orderId: '7', amount: 42 }
const one = { orderId: '7' }

describe('given events, then a view', () => {
  const spec = given(orderStatus, [OrderPlaced(line)])

  it('checks documents, queries, and whatever a test looks at', async () => {
    await spec.thenDocument('7', { status: 'placed', amount: 42 })
    await spec.thenDocument('8', undefined)
    await spec.thenDocuments({ '7': { status: 'placed', amount: 42 } })
    await spec.ask(OrderStatus(one)).gives({ status: 'placed' })
    await spec.when(OrderShipped(one)).ask(OrderStatus(one)).gives({ status: 'shipped' })
    const seen: unknown[] = []
    await spec.then(async (view) => void seen.push((await view.get('7'))?.amount))
    expect(seen).toEqual([42, 42])
  })

  it('fails with the difference', async () => {
    await expect(spec.thenDocument('7', { status: 'shipped', amount: 42 })).rejects.toThrow(
      /another document under 7[\s\S]*shipped/,
    )
    await expect(spec.thenDocuments({})).rejects.toThrow('other documents')
    await expect(spec.ask(OrderStatus(one)).gives({ status: 'none' })).rejects.toThrow(
      'another answer to OrderStatus',
    )
  })

  it('fails for a projection that remembers outside of its view', async () => {
    const Counted = event('Counted', plain<{ key: string }>())
    let total = 0
    const leaky = projection('leaky', {
      view: tablesOf('leaky'),
      on: (on) =>
        on(Counted, async ({ data }, view) => {
          total += 1
          await view.run('INSERT OR REPLACE INTO leaky VALUES (?, ?)', data.key, total)
        }),
    })
    const check = given(leaky, [Counted({ key: 'a' })], { database: inMemory }).then(
      async (view) => {
        expect(await view.all('SELECT total FROM leaky')).toEqual([{ total: 1 }])
      },
    )
    await expect(check).rejects.toThrow('After a rebuild the view is another one')
  })

  it('looks at tables where the database has SQL', async () => {
    const Counted = event('Counted', plain<{ key: string }>())
    const Total = query('Total', { input: plain<string>(), output: plain<number>() })
    const counts = projection('counts', {
      view: tablesOf('counts'),
      on: (on) =>
        on(Counted, async ({ data }, view) => {
          const text =
            'INSERT INTO counts VALUES (?, 1) ON CONFLICT (key) DO UPDATE SET total = total + 1'
          await view.run(text, data.key)
        }),
      answers: (on) =>
        on(Total, async (key, view) => {
          const row = await view.first<{ total: number }>(
            'SELECT total FROM counts WHERE key = ?',
            key,
          )
          return row?.total ?? 0
        }),
    })
    const events = [Counted({ key: 'a' }), Counted({ key: 'a' })]
    await given(counts, events, { database: inMemory }).ask(Total('a')).gives(2)
    await expect(
      given(counts, events, { database: inMemory }).thenDocument('a', undefined as never),
    ).rejects.toThrow('keeps tables')
  })

  it('refuses events that the projection never gets', async () => {
    await expect(given(orderStatus, [StockShort(one)]).thenDocuments({})).rejects.toThrow(
      'names no message StockShort',
    )
  })
})

const inMemory = () => sqlite({ database: new DatabaseSync(':memory:') })

const tablesOf = (name: string) =>
  tables({
    create: [`CREATE TABLE IF NOT EXISTS ${name} (key TEXT PRIMARY KEY, total INTEGER) STRICT`],
    clear: [`DELETE FROM ${name}`],
  })
