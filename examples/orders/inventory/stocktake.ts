/** Goods that come and go without being sold: each slip is booked once. */
import { aggregate } from 'thence'
import type { Slip } from '../slip.ts'
import { isNew } from '../slip.ts'
import {
  AdjustStock,
  BookUnpriced,
  RestockReturn,
  StockAdjusted,
  StockRestocked,
  UnpricedBooked,
} from './messages.ts'

export const stocktake = aggregate('stocktake', {
  initial: (): Slip | null => null,
  evolve: (on) =>
    on(StockAdjusted, (_, { data }) => data).on(UnpricedBooked, (_, { data }) => data),
  decide: (on) =>
    on(AdjustStock, (booked, { data }) => (isNew(booked, data) ? StockAdjusted(data) : [])).on(
      BookUnpriced,
      (booked, { data }) => (isNew(booked, data) ? UnpricedBooked(data) : []),
    ),
  stream: ({ data }) => data.invoiceNo,
})

/** What came back with one cancellation, put on the shelves once. */
export const restock = aggregate('restock', {
  initial: () => ({ done: false }),
  evolve: (on) => on(StockRestocked, () => ({ done: true })),
  decide: (on) => on(RestockReturn, ({ done }, { data }) => (done ? [] : StockRestocked(data))),
  stream: ({ data }) => data.cancellationNo,
})
