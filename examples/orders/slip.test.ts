import { isThenceError } from 'thence'
import { expect, test } from 'vitest'
import { PlaceOrder } from './orders/messages.ts'
import { slipOf } from './slip.ts'
import { invoice, memoryShop } from './test/shops.ts'

test('the same order sent twice is placed once', async () => {
  const shop = await memoryShop()
  const slip = slipOf(invoice('1', [['A', 1, 100]]), 1)
  const first = await shop.send(PlaceOrder(slip))
  const again = await shop.send(PlaceOrder(slip))
  expect(first.events).toHaveLength(1)
  expect(again).toMatchObject({ version: first.version, events: [] })
})

test('another order under a number that is taken is refused, not ignored', async () => {
  const shop = await memoryShop()
  await shop.send(PlaceOrder(slipOf(invoice('1', [['A', 1, 100]]), 1)))
  const error = await shop
    .send(PlaceOrder(slipOf(invoice('1', [['A', 2, 100]]), 1)))
    .catch((reason: unknown) => reason)
  expect(isThenceError(error, 'REJECTED')).toBe(true)
  expect(error).toMatchObject({ details: { reason: 'INVOICE_DIFFERS' } })
})

test('a slip that makes no sense is refused before anything is recorded', async () => {
  const shop = await memoryShop()
  const slip = { ...slipOf(invoice('1', [['A', 1, 100]]), 1), lines: [] }
  await expect(shop.send(PlaceOrder(slip))).rejects.toThrow('PlaceOrder does not fit its schema')
})
