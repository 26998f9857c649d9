// A small shop that the tests share: an order, its status, and its fulfilment with everything that can go wrong.
import { aggregate, command, documents, event, projection, query, reject, saga, step } from 'thence'
import { z } from 'zod'

const order = z.object({ orderId: z.string() })
const line = z.object({ orderId: z.string(), amount: z.number().positive() })

export const PlaceOrder = command('PlaceOrder', line)
export const ShipOrder = command('ShipOrder', order)
export const OrderPlaced = event('OrderPlaced', line)
export const OrderShipped = event('OrderShipped', order)

export const ChargePayment = command('ChargePayment', line)
export const RefundPayment = command('RefundPayment', order)
export const ReserveStock = command('ReserveStock', order)
export const ReleaseStock = command('ReleaseStock', order)
export const ScheduleShipping = command('ScheduleShipping', order)
export const PaymentCharged = event('PaymentCharged', line)
export const PaymentDeclined = event('PaymentDeclined', order)
export const PaymentRefunded = event('PaymentRefunded', order)
export const StockReserved = event('StockReserved', order)
export const StockShort = event('StockShort', order)
export const ShippingScheduled = event('ShippingScheduled', order)
export const ShippingFailed = event('ShippingFailed', order)

export const OrderStatus = query('OrderStatus', {
  input: order,
  output: z.object({ status: z.string() }),
})

export type Status = 'none' | 'placed' | 'shipped'

export const orders = aggregate('order', {
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

export const orderStatus = projection('orderStatus', {
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

export const fulfilment = saga('fulfilment', {
  startedBy: OrderPlaced,
  key: ({ data }) => data.orderId,
  steps: [
    step('payment', {
      do: ChargePayment,
      done: PaymentCharged,
      failed: PaymentDeclined,
      undo: RefundPayment,
      undone: PaymentRefunded,
      timeout: '30s',
    }),
    step('stock', {
      do: ReserveStock,
      done: StockReserved,
      failed: StockShort,
      undo: ReleaseStock,
    }),
    step('shipping', {
      do: ScheduleShipping,
      done: ShippingScheduled,
      failed: ShippingFailed,
      retry: { attempts: 3, base: 1000, cap: 60_000 },
    }),
  ],
})
