import { expect, test } from 'vitest'
import { GetStock } from '../inventory/messages.ts'
import { GetOrderStatus } from '../orders/messages.ts'
import { PlaceOrder } from '../orders/messages.ts'
import { GetTill } from '../payments/messages.ts'
import type { Simulation } from '../simulation.ts'
import { slipOf } from '../slip.ts'
import { invoice, kindWorld, memoryShop } from '../test/shops.ts'

const fulfil = async (world: Simulation) => {
  const shop = await memoryShop(world)
  await shop.send(PlaceOrder(slipOf(invoice('1', [['A', 2, 1250]]), 1)))
  await shop.whenIdle()
  const story: string[] = []
  for await (const { type } of shop.stream('fulfilment-1')) story.push(type)
  return {
    story: story.map((type) => type.replace('fulfilment.', '')),
    status: (await shop.ask(GetOrderStatus({ orderId: '1' })))?.status,
    till: await shop.ask(GetTill({})),
    stock: await shop.ask(GetStock({ stockCode: 'A' })),
  }
}

test('an order is paid, reserved and shipped, in this order', async () => {
  expect(await fulfil(kindWorld)).toMatchObject({
    story: [
      'started',
      'ChargePayment',
      'stepDone',
      'ReserveStock',
      'stepDone',
      'ScheduleShipping',
      'stepDone',
      'finished',
    ],
    status: 'shipped',
    till: { chargedMills: 2500, refundedMills: 0 },
    stock: { reserved: 0, shipped: 2 },
  })
})

test('a declined order takes nothing back, because nothing was taken', async () => {
  expect(await fulfil({ ...kindWorld, declines: () => true })).toMatchObject({
    story: ['started', 'ChargePayment', 'stepFailed', 'compensating', 'finished'],
    status: 'declined',
    till: { chargedMills: 0, refundedMills: 0 },
    stock: null,
  })
})

test('an order out of stock gets its money back', async () => {
  expect(await fulfil({ ...kindWorld, shortOf: ([code]) => code })).toMatchObject({
    status: 'outOfStock',
    till: { chargedMills: 2500, refundedMills: 2500 },
    stock: null,
  })
})

test('an order lost in shipping gives back its goods, then its money: the reverse order', async () => {
  expect(await fulfil({ ...kindWorld, losesShipment: () => true })).toMatchObject({
    story: [
      'started',
      'ChargePayment',
      'stepDone',
      'ReserveStock',
      'stepDone',
      'ScheduleShipping',
      'stepFailed',
      'compensating',
      'ReleaseStock',
      'stepUndone',
      'RefundPayment',
      'stepUndone',
      'finished',
    ],
    status: 'shippingFailed',
    till: { chargedMills: 2500, refundedMills: 2500 },
    stock: { reserved: 0, shipped: 0 },
  })
})
