/** What is said about goods that come back. */
import { command, event, plain, query } from 'thence'
import { z } from 'zod'
import type { Lots } from '../lots.ts'
import type { Slip } from '../slip.ts'
import { slip } from '../slip.ts'

export const BookCancellation = command('BookCancellation', slip)
export const CancellationBooked = event('CancellationBooked', plain<Slip>())

/** What a customer was sent and may return. */
export interface Purchase {
  readonly orderId: string
  readonly sequence: number
  readonly lots: Lots
}

export const PurchaseShipped = event('PurchaseShipped', plain<Purchase>())

export const SettleReturn = command(
  'SettleReturn',
  plain<{
    readonly cancellationNo: string
    readonly sequence: number
    readonly customerId: string
    readonly lots: Lots
  }>(),
)

/** What of a cancellation was found in earlier orders, by order. */
export const PurchaseReturned = event(
  'PurchaseReturned',
  plain<{
    readonly cancellationNo: string
    readonly orders: readonly { readonly orderId: string; readonly lots: Lots }[]
  }>(),
)

/** What of a cancellation fits no earlier order of its customer. Nothing is restocked for it. */
export const CreditUnmatched = event(
  'CreditUnmatched',
  plain<{ readonly cancellationNo: string; readonly lots: Lots }>(),
)

export interface Return {
  /** Null for guests. */
  readonly customerId: string | null
  /** What was asked for. */
  readonly claimedPieces: number
  readonly claimedMills: number
  /** What was found in earlier orders. */
  readonly returnedPieces: number
  readonly returnedMills: number
  /** What was not. */
  readonly creditedPieces: number
  readonly creditedMills: number
}

export const GetReturn = query('GetReturn', {
  input: z.object({ cancellationNo: z.string() }),
  output: plain<Return | null>(),
})

export interface ReturnSummary {
  readonly cancellations: number
  /** Found whole, in part, or not at all in earlier orders of the customer. */
  readonly matched: number
  readonly partlyMatched: number
  readonly unmatched: number
  /** Not settled yet. */
  readonly open: number
  readonly claimedMills: number
  readonly returnedMills: number
  readonly creditedMills: number
}

export const GetReturnSummary = query('GetReturnSummary', {
  input: z.object({}),
  output: plain<ReturnSummary>(),
})
