/** What is said about goods in the warehouse. */
import { command, event, plain, query } from 'thence'
import { z } from 'zod'
import type { Items } from '../lots.ts'
import type { Slip } from '../slip.ts'
import { slip } from '../slip.ts'

export interface Reservation {
  readonly orderId: string
  readonly items: Items
}

export const ReserveStock = command('ReserveStock', plain<Reservation>())
export const StockReserved = event('StockReserved', plain<Reservation>())
export const StockShort = event(
  'StockShort',
  plain<{ readonly orderId: string; readonly stockCode: string }>(),
)
export const ReleaseStock = command('ReleaseStock', plain<{ readonly orderId: string }>())
export const StockReleased = event('StockReleased', plain<Reservation>())

export interface Restock {
  readonly cancellationNo: string
  readonly items: Items
}

export const RestockReturn = command('RestockReturn', plain<Restock>())
export const StockRestocked = event('StockRestocked', plain<Restock>())

/** Goods damaged, lost or thrown away. */
export const AdjustStock = command('AdjustStock', slip)
export const StockAdjusted = event('StockAdjusted', plain<Slip>())

/** Goods without a price: found again, samples. */
export const BookUnpriced = command('BookUnpriced', slip)
export const UnpricedBooked = event('UnpricedBooked', plain<Slip>())

/** Pieces of one stock code, by what happened to them. */
export interface StockLevel {
  /** Set aside for an order that is not shipped yet. */
  readonly reserved: number
  readonly shipped: number
  readonly returned: number
  /** By stock adjustments; mostly negative. */
  readonly adjusted: number
  /** Found again, or samples. */
  readonly unpriced: number
}

export const GetStock = query('GetStock', {
  input: z.object({ stockCode: z.string() }),
  output: plain<StockLevel | null>(),
})

export type StockSummary = StockLevel & { readonly stockCodes: number }

export const GetStockSummary = query('GetStockSummary', {
  input: z.object({}),
  output: plain<StockSummary>(),
})
