/**
 * How far each order is, from the events of all modules. An order that failed is open until its
 * compensation has ended, so `open` is 0 only when nothing is owed to anyone.
 */
import { documents, projection } from 'thence'
import type { Documents, ReadOnlyView } from 'thence'
import { StockReleased, StockReserved, StockShort } from '../inventory/messages.ts'
import { PaymentCharged, PaymentDeclined, PaymentRefunded } from '../payments/messages.ts'
import { OrderShipped, ShipmentFailed } from '../shipping/messages.ts'
import { slipMills } from '../slip.ts'
import type { OrderEnd, OrderStatus, OrderSummary } from './messages.ts'
import { GetOrderStatus, GetOrderSummary, OrderPlaced, orderEnds } from './messages.ts'

type View = Documents<OrderStatus>

const change = (view: View, orderId: string, part: Partial<OrderStatus>): Promise<void> =>
  view.update(orderId, (before) => (before === undefined ? undefined : { ...before, ...part }))

const failing = (view: View, orderId: string, failure: OrderEnd): Promise<void> =>
  change(view, orderId, { status: 'undoing', failure })

/** The payment is given back last, because it was taken first. */
const undone = (view: View, orderId: string): Promise<void> =>
  view.update(orderId, (before) =>
    before === undefined ? undefined : { ...before, status: before.failure ?? before.status },
  )

const isEnd = (status: string): status is OrderEnd =>
  (orderEnds as readonly string[]).includes(status)

const summary = async (view: ReadOnlyView<View>): Promise<OrderSummary> => {
  const counts = { shipped: 0, declined: 0, outOfStock: 0, shippingFailed: 0, open: 0, orders: 0 }
  const first: Partial<Record<OrderEnd, string>> = {}
  let shippedMills = 0
  for await (const { key, document } of view.list()) {
    const { status, totalMills } = document
    counts.orders += 1
    counts[isEnd(status) ? status : 'open'] += 1
    if (isEnd(status)) first[status] ??= key
    if (status === 'shipped') shippedMills += totalMills
  }
  return { ...counts, shippedMills, first }
}

export const orderStatus = projection('orderStatus', {
  view: documents<OrderStatus>(),
  on: (on) =>
    on(OrderPlaced, ({ data }, view) =>
      view.put(data.invoiceNo, {
        status: 'placed',
        date: data.date,
        country: data.country,
        totalMills: slipMills(data),
        failure: null,
      }),
    )
      .on(PaymentCharged, ({ data }, view) => change(view, data.orderId, { status: 'paid' }))
      .on(PaymentDeclined, ({ data }, view) =>
        change(view, data.orderId, { status: 'declined', failure: 'declined' }),
      )
      .on(StockReserved, ({ data }, view) => change(view, data.orderId, { status: 'reserved' }))
      .on(StockShort, ({ data }, view) => failing(view, data.orderId, 'outOfStock'))
      .on(OrderShipped, ({ data }, view) => change(view, data.orderId, { status: 'shipped' }))
      .on(ShipmentFailed, ({ data }, view) => failing(view, data.orderId, 'shippingFailed'))
      .on(StockReleased, ({ data }, view) => change(view, data.orderId, { status: 'undoing' }))
      .on(PaymentRefunded, ({ data }, view) => undone(view, data.orderId)),
  answers: (on) =>
    on(GetOrderStatus, async ({ orderId }, view) => (await view.get(orderId)) ?? null).on(
      GetOrderSummary,
      (_, view) => summary(view),
    ),
})
