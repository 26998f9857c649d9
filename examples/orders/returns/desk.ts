/**
 * What joins returns to the other modules: a shipped order can be returned from now on; what came
 * back is paid back and put on the shelves again.
 */
import { handler } from 'thence'
import { RestockReturn } from '../inventory/messages.ts'
import { counted, itemsOfLots, lotsMills } from '../lots.ts'
import { RefundReturn } from '../payments/messages.ts'
import { OrderShipped } from '../shipping/messages.ts'
import { claimedLots } from './cancellation.ts'
import { CancellationBooked, PurchaseReturned, PurchaseShipped, SettleReturn } from './messages.ts'

export const purchases = handler('purchases', OrderShipped, {
  key: ({ data }) => data.customerId ?? '',
  run({ data: { orderId, sequence, customerId, lots } }, { append }) {
    if (customerId !== null)
      append(`account-${customerId}`, PurchaseShipped({ orderId, sequence, lots }))
  },
})

export const claims = handler('claims', CancellationBooked, ({ data }, { send }) => {
  const { invoiceNo, sequence, customerId } = data
  if (customerId === null) return
  send(SettleReturn({ cancellationNo: invoiceNo, sequence, customerId, lots: claimedLots(data) }))
})

export const returnsDesk = handler('returnsDesk', PurchaseReturned, ({ data }, { send }) => {
  const { cancellationNo, orders } = data
  for (const { orderId, lots } of orders)
    send(RefundReturn({ orderId, cancellationNo, amountMills: lotsMills(lots) }))
  const items = counted(orders.flatMap(({ lots }) => Object.entries(itemsOfLots(lots))))
  send(RestockReturn({ cancellationNo, items }))
})
