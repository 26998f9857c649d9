/** An order as the customer placed it; what becomes of it is the business of the other modules. */
import { aggregate } from 'thence'
import type { Slip } from '../slip.ts'
import { isNew } from '../slip.ts'
import { OrderPlaced, PlaceOrder } from './messages.ts'

export const order = aggregate('order', {
  initial: (): Slip | null => null,
  evolve: (on) => on(OrderPlaced, (_, { data }) => data),
  decide: (on) =>
    on(PlaceOrder, (placed, { data }) => (isNew(placed, data) ? OrderPlaced(data) : [])),
  stream: ({ data }) => data.invoiceNo,
})
