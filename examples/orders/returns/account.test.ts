import { expect, test } from 'vitest'
import type { Invoice } from '../data/invoice.ts'
import { GetStock } from '../inventory/messages.ts'
import { trade } from '../intake/trade.ts'
import { GetTill } from '../payments/messages.ts'
import { invoice, kindWorld, memoryShop, sourceOf } from '../test/shops.ts'
import { books, imbalances } from '../summary.ts'
import type { Simulation } from '../simulation.ts'
import { GetReturn, PurchaseReturned } from './messages.ts'

const shopThat = async (invoices: readonly Invoice[], world: Simulation = kindWorld) => {
  const shop = await memoryShop(world)
  await trade(shop, sourceOf(invoices), { seed: 1 })
  expect(imbalances(await books(shop))).toEqual([])
  const partsOf = async (customerId = '17850') => {
    const parts: unknown[] = []
    for await (const { type, data } of shop.stream(`account-${customerId}`))
      if (type === PurchaseReturned.type) parts.push(data)
    return parts
  }
  return { shop, partsOf, returned: (no: string) => shop.ask(GetReturn({ cancellationNo: no })) }
}

test('a cancellation takes from the newest earlier order first, then from the next newest', async () => {
  const { partsOf } = await shopThat([
    invoice('1', [['A', 5, 100]]),
    invoice('2', [['A', 3, 100]]),
    invoice('C3', [['A', -4, 100]]),
  ])
  expect(await partsOf()).toEqual([
    {
      cancellationNo: 'C3',
      orders: [
        { orderId: '2', lots: { 'A@100': 3 } },
        { orderId: '1', lots: { 'A@100': 1 } },
      ],
    },
  ])
})

test('what was returned once is not returned again', async () => {
  const { returned } = await shopThat([
    invoice('1', [['A', 5, 100]]),
    invoice('C2', [['A', -4, 100]]),
    invoice('C3', [['A', -4, 100]]),
  ])
  expect(await returned('C2')).toMatchObject({ returnedMills: 400, creditedMills: 0 })
  expect(await returned('C3')).toMatchObject({ returnedMills: 100, creditedMills: 300 })
})

test.each([
  ['at another price', invoice('C2', [['A', -1, 101]])],
  ['of another stock code', invoice('C2', [['B', -1, 100]])],
  ['of another customer', invoice('C2', [['A', -1, 100]], { customerId: '1' })],
  ['of a guest', invoice('C2', [['A', -1, 100]], { customerId: null })],
])('a cancellation %s is an unmatched credit', async (_, cancelled) => {
  const { shop, returned } = await shopThat([invoice('1', [['A', 1, 100]]), cancelled])
  expect(await returned('C2')).toMatchObject({
    returnedPieces: 0,
    creditedPieces: 1,
    creditedMills: 0 - cancelled.totalMills,
  })
  expect(await shop.ask(GetTill({}))).toMatchObject({ returnedMills: 0 })
})

test('an order later in the file is not matched, though it is shipped in the same chunk', async () => {
  const { returned } = await shopThat([
    invoice('C1', [['A', -1, 100]]),
    invoice('2', [['A', 1, 100]]),
  ])
  expect(await returned('C1')).toMatchObject({ returnedPieces: 0, creditedPieces: 1 })
})

test.each([
  ['declined', { ...kindWorld, declines: () => true }],
  ['out of stock', { ...kindWorld, shortOf: () => 'A' }],
  ['lost in shipping', { ...kindWorld, losesShipment: () => true }],
])('an order that was %s is not matched', async (_, world) => {
  const { returned } = await shopThat(
    [invoice('1', [['A', 1, 100]]), invoice('C2', [['A', -1, 100]])],
    world,
  )
  expect(await returned('C2')).toMatchObject({ returnedPieces: 0, creditedPieces: 1 })
})

test('a matched return is paid back and put on the shelves, an unmatched credit is neither', async () => {
  const { shop } = await shopThat([
    invoice('1', [
      ['A', 5, 100],
      ['B', 1, 2555],
    ]),
    invoice('C2', [
      ['A', -2, 100],
      ['B', -2, 2555],
    ]),
  ])
  expect(await shop.ask(GetTill({}))).toEqual({
    chargedMills: 3055,
    refundedMills: 0,
    returnedMills: 2755,
  })
  expect(await shop.ask(GetStock({ stockCode: 'A' }))).toMatchObject({ shipped: 5, returned: 2 })
  expect(await shop.ask(GetStock({ stockCode: 'B' }))).toMatchObject({ shipped: 1, returned: 1 })
})

test('repeated lines of one cancellation add up, as those of an order do', async () => {
  const { returned } = await shopThat([
    invoice('1', [
      ['A', 2, 100],
      ['A', 2, 100],
    ]),
    invoice('C2', [
      ['A', -1, 100],
      ['A', -3, 100],
    ]),
  ])
  expect(await returned('C2')).toMatchObject({ returnedPieces: 4, creditedPieces: 0 })
})
