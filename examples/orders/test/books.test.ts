/** The books of whole runs against the oracle's: every figure, on both adapters. */
import { describe, expect, test } from 'vitest'
import { openRows } from '../data/csv.ts'
import { groupInvoices } from '../data/invoice.ts'
import type { Invoice } from '../data/invoice.ts'
import { absent, SAMPLE, skipReason } from '../data/real-data.ts'
import { fileSource, generatedSource } from '../intake/source.ts'
import type { InvoiceSource } from '../intake/source.ts'
import { trade } from '../intake/trade.ts'
import { orderEnds } from '../orders/messages.ts'
import { jsonReport } from '../report.ts'
import type { Shop } from '../shop.ts'
import { simulation } from '../simulation.ts'
import { books, imbalances } from '../summary.ts'
import { expectedBooks, Oracle } from './oracle.ts'
import { fileShop, memoryShop } from './shops.ts'
import { temporaryPath } from './temporary.ts'

const figures = { source: '', database: null, seconds: 1, messagesNow: 0, peakBytes: 0 }

const report = async (shop: Shop, source: InvoiceSource, seed: number) => {
  await trade(shop, source, { seed })
  const found = await books(shop)
  expect(imbalances(found)).toEqual([])
  return jsonReport(found, { ...figures, seed })
}

test.each([1, 2])(
  'a made-up day of seed %d comes to what the oracle says',
  { timeout: 60_000 },
  async (seed) => {
    const source = generatedSource(seed, { days: 1, orders: 400 })
    const shop = await memoryShop(simulation(seed))
    expect(await report(shop, source, seed)).toMatchObject(await expectedBooks(source, seed))
  },
)

describe.skipIf(absent.length > 0)(`the sample of three days${skipReason}`, () => {
  test(
    'every figure is what the oracle says, in a file and in memory alike',
    { timeout: 60_000 },
    async () => {
      const source = await fileSource(SAMPLE)
      const wanted = await expectedBooks(source, 1)
      const world = simulation(1)
      const onFile = await report(await fileShop(temporaryPath('shop.db'), world), source, 1)
      expect(onFile).toMatchObject(wanted)
      expect(onFile).toMatchObject({
        rows: 7_419,
        invoices: 418,
        orders: 337,
        cancellations: 36,
        badDebts: 0,
        stockAdjustments: 30,
        zeroPrice: 15,
        netMills: 150_463_300,
        netMillsByMonth: { '2010-12': 150_463_300 },
      })
      expect(await report(await memoryShop(world), source, 1)).toEqual(onFile)
    },
  )

  test('each end of an order occurs with nearly every seed', { timeout: 60_000 }, async () => {
    const orders: Invoice[] = []
    for await (const invoice of groupInvoices((await openRows(SAMPLE)).rows()))
      if (invoice.kind === 'order') orders.push(invoice)
    const withAll = Array.from({ length: 100 }, (_, seed) => seed).filter((seed) => {
      const oracle = new Oracle(simulation(seed))
      for (const order of orders) oracle.take(order)
      return orderEnds.every((end) => oracle.books[end] > 0)
    })
    expect(withAll).toContain(1)
    expect(withAll.length).toBeGreaterThanOrEqual(98)
  })
})
