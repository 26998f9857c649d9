// A specification that could never hold does not compile.
import { aggregate, command, documents, event, projection, query, reject, saga, step } from 'thence'
import { given } from 'thence/testing'
import { describe, expectTypeOf, it } from 'vitest'
import { z } from 'zod'

const orderSchema = z.object({ orderId: z.string() })
const lineSchema = z.object({ orderId: z.string(), amount: z.number().positive() })
const PlaceOrder = command('PlaceOrder', lineSchema)
const ShipOrder = command('ShipOrder', orderSchema)
const ReserveStock = command('ReserveStock', orderSchema)
const OrderPlaced = event('OrderPlaced', lineSchema)
const OrderShipped = event('OrderShipped', orderSchema)
const PaymentCharged = event('PaymentCharged', lineSchema)
const OrderStatus = query('OrderStatus', {
  input: orderSchema,
  output: z.object({ status: z.string() }),
})
type Status = 'none' | 'placed' | 'shipped'
const orders = aggregate('order', {
  initial: () => ({ status: 'none' as Status }),
  evolve: (on) =>
    on(OrderPlaced, () => ({ status: 'placed' })).on(OrderShipped, () => ({ status: 'shipped' })),
  decide: (on) =>
    on(PlaceOrder, (state, { data }) => (state.status === 'none' ? OrderPlaced(data) : [])).on(
      ShipOrder,
      ({ status }, { data }) => {
        if (status === 'shipped') throw reject('ALREADY_SHIPPED', `Order ${data.orderId} is gone.`)
        return OrderShipped(data)
      },
    ),
  stream: ({ data }) => data.orderId,
})
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

const fulfilment = saga('fulfilment', {
  startedBy: OrderPlaced,
  key: ({ data }) => data.orderId,
  steps: [step('stock', { do: ReserveStock, done: PaymentCharged })],
})

const one = { orderId: '7' }
const line = { orderId: '7', amount: 1 }

describe('given an aggregate', () => {
  it('takes its events and its commands only', () => {
    given(orders, [OrderPlaced(line)])
      .when(ShipOrder(one))
      .then([OrderShipped(one)])
    // @ts-expect-error -- the aggregate does not know this event
    given(orders, [PaymentCharged(line)])
    // @ts-expect-error -- the aggregate does not decide this command
    given(orders).when(ReserveStock(one))
    const placed = given(orders).when(PlaceOrder(line))
    // @ts-expect-error -- the aggregate never gives this event
    placed.then([PaymentCharged(line)])
    // @ts-expect-error -- the payload of another event
    given(orders, [OrderPlaced(one)])
  })
})

describe('given a projection', () => {
  it('knows its documents and its queries', () => {
    const spec = given(orderStatus, [OrderPlaced(line)])
    type Spec = typeof spec
    expectTypeOf<Parameters<Spec['thenDocument']>[1]>().toEqualTypeOf<
      { status: Status; amount: number } | undefined
    >()
    const asked = spec.ask(OrderStatus(one))
    expectTypeOf<Parameters<(typeof asked)['gives']>[0]>().toEqualTypeOf<{ status: string }>()
    // @ts-expect-error -- not a document of this view
    void spec.thenDocument('7', { status: 'gone' })
  })
})

describe('given a saga', () => {
  it('takes events and checks commands', () => {
    given(fulfilment, [OrderPlaced(line)])
      .when(PaymentCharged(line))
      .thenSends([ReserveStock(one)])
    // @ts-expect-error -- a command does not happen
    given(fulfilment, [ShipOrder(one)])
    // @ts-expect-error -- not a status
    given(fulfilment).thenStatus('done')
  })
})
