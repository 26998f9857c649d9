/** What is said about orders: they are placed, and their status can be asked for. */
import { command, event, plain, query } from 'thence'
import { z } from 'zod'
import type { Slip } from '../slip.ts'
import { slip } from '../slip.ts'

export const PlaceOrder = command('PlaceOrder', slip)
export const OrderPlaced = event('OrderPlaced', plain<Slip>())

/** How an order can end, and `open` before it has. */
export const orderEnds = ['shipped', 'declined', 'outOfStock', 'shippingFailed'] as const
export type OrderEnd = (typeof orderEnds)[number]

export interface OrderStatus {
  readonly status: 'placed' | 'paid' | 'reserved' | 'undoing' | OrderEnd
  readonly date: string
  readonly country: string
  readonly totalMills: number
  /** Why it will not be shipped; it is being undone or has been. */
  readonly failure: OrderEnd | null
}

export const GetOrderStatus = query('GetOrderStatus', {
  input: z.object({ orderId: z.string() }),
  output: plain<OrderStatus | null>(),
})

export type OrderSummary = Readonly<Record<OrderEnd | 'open' | 'orders', number>> & {
  /** Value of the shipped orders. */
  readonly shippedMills: number
  /** The first order by number that ended so. */
  readonly first: Partial<Readonly<Record<OrderEnd, string>>>
}

/** Orders by end state, counted order by order. */
export const GetOrderSummary = query('GetOrderSummary', {
  input: z.object({}),
  output: plain<OrderSummary>(),
})
