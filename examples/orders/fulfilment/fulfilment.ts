/**
 * From a placed order to a shipped one: take the money, set the goods aside, ship them; and if a
 * step fails, take back what was done, last first. No step has a timeout: nothing here may depend
 * on how long a process was down.
 */
import { saga, step } from 'thence'
import type { Slip } from '../slip.ts'
import { slipMills } from '../slip.ts'
import {
  ReleaseStock,
  ReserveStock,
  StockReleased,
  StockReserved,
  StockShort,
} from '../inventory/messages.ts'
import { itemsOf, lotsOf } from '../lots.ts'
import { OrderPlaced } from '../orders/messages.ts'
import {
  ChargePayment,
  PaymentCharged,
  PaymentDeclined,
  PaymentRefunded,
  RefundPayment,
} from '../payments/messages.ts'
import { OrderShipped, ScheduleShipping, ShipmentFailed } from '../shipping/messages.ts'

/** The messages of all modules name the order; the one that starts it all is the order itself. */
const orderOf = (data: Slip | { readonly orderId: string }): string =>
  'invoiceNo' in data ? data.invoiceNo : data.orderId

export const fulfilment = saga('fulfilment', {
  startedBy: OrderPlaced,
  key: ({ data }) => orderOf(data),
  steps: [
    step('payment', {
      do: ({ key, data }) =>
        ChargePayment({ orderId: key, amountMills: slipMills(data(OrderPlaced)) }),
      done: PaymentCharged,
      failed: PaymentDeclined,
      undo: ({ key }) => RefundPayment({ orderId: key }),
      undone: PaymentRefunded,
    }),
    step('stock', {
      do: ({ key, data }) =>
        ReserveStock({ orderId: key, items: itemsOf(data(OrderPlaced).lines) }),
      done: StockReserved,
      failed: StockShort,
      undo: ({ key }) => ReleaseStock({ orderId: key }),
      undone: StockReleased,
    }),
    step('shipping', {
      do: ({ key, data }) => {
        const { sequence, customerId, lines } = data(OrderPlaced)
        return ScheduleShipping({ orderId: key, sequence, customerId, lots: lotsOf(lines) })
      },
      done: OrderShipped,
      failed: ShipmentFailed,
      pivot: true,
    }),
  ],
})
