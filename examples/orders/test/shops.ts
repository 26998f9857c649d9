/** Shops for tests, opened with a world of the test's choice and stopped with the test. */
import { DatabaseSync } from 'node:sqlite'
import { onTestFinished } from 'vitest'
import type { Database } from 'thence'
import { memory } from 'thence/memory'
import { sqlite } from 'thence/sqlite'
import { invoiceKind, totalMills } from '../data/invoice.ts'
import type { Invoice, InvoiceLine } from '../data/invoice.ts'
import type { InvoiceSource } from '../intake/source.ts'
import { openShop } from '../shop.ts'
import type { Shop } from '../shop.ts'
import type { Simulation } from '../simulation.ts'

/** Where everything goes well. */
export const kindWorld: Simulation = {
  declines: () => false,
  shortOf: () => undefined,
  losesShipment: () => false,
}

export async function shopIn(database: Database, world: Simulation = kindWorld): Promise<Shop> {
  const shop = await openShop({ database, world })
  onTestFinished(() => shop.stop())
  return shop
}

export const memoryShop = (world?: Simulation): Promise<Shop> => shopIn(memory(), world)

export const fileShop = (path: string, world?: Simulation): Promise<Shop> =>
  shopIn(sqlite({ database: new DatabaseSync(path) }), world)

/** A source of these invoices. */
export function sourceOf(invoices: readonly Invoice[], id = 'test'): InvoiceSource {
  return {
    id,
    name: `the source ${id}`,
    total: invoices.length,
    unit: 'invoices',
    done: () => 0,
    async *invoices() {
      yield* invoices
    },
  }
}

type Piece = readonly [stockCode: string, quantity: number, priceMills: number]

/** An invoice of customer 17850 on the first of December, unless said otherwise. */
export function invoice(
  invoiceNo: string,
  pieces: readonly Piece[],
  { customerId = '17850', ...rest }: { customerId?: string | null; country?: string } = {},
): Invoice {
  const lines: InvoiceLine[] = pieces.map(([stockCode, quantity, priceMills]) => ({
    stockCode,
    description: `a ${stockCode}`,
    quantity,
    priceMills,
  }))
  return {
    invoiceNo,
    kind: invoiceKind(invoiceNo, lines),
    date: '2010-12-01 08:26:00',
    country: 'United Kingdom',
    ...(customerId === null ? {} : { customerId }),
    ...rest,
    totalMills: totalMills(lines),
    lines,
  }
}
