import { expect, test } from 'vitest'
import { generatedSource } from './intake/source.ts'
import { trade } from './intake/trade.ts'
import { simulation } from './simulation.ts'
import { books, imbalances } from './summary.ts'
import type { Books } from './summary.ts'
import { memoryShop } from './test/shops.ts'

const traded = async (): Promise<Books> => {
  const shop = await memoryShop(simulation(1))
  await trade(shop, generatedSource(1, { days: 1, orders: 40 }), { seed: 1 })
  return books(shop)
}

const entry = { invoices: 1, rows: 1, netMills: 1 }

test.each<[string, (found: Books) => Books]>([
  ['charged', (b) => ({ ...b, till: { ...b.till, chargedMills: b.till.chargedMills + 1 } })],
  ['by month', (b) => ({ ...b, ledger: { ...b.ledger, months: { '2011-01': entry } } })],
  ['by country', (b) => ({ ...b, ledger: { ...b.ledger, countries: { France: entry } } })],
  ['claimed', (b) => ({ ...b, returns: { ...b.returns, claimedMills: 1 } })],
  ['credited', (b) => ({ ...b, returns: { ...b.returns, creditedMills: -1 } })],
  ['returned mills (till)', (b) => ({ ...b, till: { ...b.till, returnedMills: -1 } })],
  ['by end state', (b) => ({ ...b, orders: { ...b.orders, shipped: -1 } })],
  ['orders (ledger)', (b) => ({ ...b, orders: { ...b.orders, orders: -1 } })],
  ['open orders', (b) => ({ ...b, orders: { ...b.orders, open: 1 } })],
  ['cancellations (returns)', (b) => ({ ...b, returns: { ...b.returns, cancellations: -1 } })],
  ['open cancellations', (b) => ({ ...b, returns: { ...b.returns, open: 1 } })],
  ['reserved', (b) => ({ ...b, stock: { ...b.stock, reserved: 1 } })],
  ['dead letters', (b) => ({ ...b, deadLetters: 1 })],
])('books that do not balance in %s are told', async (what, spoil) => {
  const found = await traded()
  expect(imbalances(found)).toEqual([])
  expect(imbalances(spoil(found)).join('\n')).toContain(what)
})
