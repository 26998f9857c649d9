/**
 * What came of it all, asked from the read models and from nothing else, and whether the books
 * balance: the read models were made apart from each other, so what they agree on is worth something.
 */
import { GetStockSummary } from './inventory/messages.ts'
import type { StockSummary } from './inventory/messages.ts'
import { GetLedger } from './ledger/messages.ts'
import type { Ledger, LedgerEntry } from './ledger/messages.ts'
import { GetOrderSummary } from './orders/messages.ts'
import type { OrderSummary } from './orders/messages.ts'
import { GetTill } from './payments/messages.ts'
import type { Till } from './payments/messages.ts'
import { GetReturnSummary } from './returns/messages.ts'
import type { ReturnSummary } from './returns/messages.ts'
import type { Shop } from './shop.ts'

export interface Books {
  readonly ledger: Ledger
  readonly orders: OrderSummary
  readonly till: Till
  readonly returns: ReturnSummary
  readonly stock: StockSummary
  /** Position of the last message. */
  readonly messages: number
  /** Messages that were given up and wait for a person. */
  readonly deadLetters: number
}

/** Asks the read models; they answer for all that happened before. */
export async function books(shop: Shop): Promise<Books> {
  const { messages, deadLetters } = await shop.database.read(async (transaction) => ({
    messages: await transaction.events.head(),
    deadLetters: (await transaction.deadLetters.counts()).parked,
  }))
  const after = { after: messages }
  return {
    ledger: await shop.ask(GetLedger({}), after),
    orders: await shop.ask(GetOrderSummary({}), after),
    till: await shop.ask(GetTill({}), after),
    returns: await shop.ask(GetReturnSummary({}), after),
    stock: await shop.ask(GetStockSummary({}), after),
    messages,
    deadLetters,
  }
}

/** The sum over all entries, in mills. */
export function netMills(entries: Readonly<Record<string, LedgerEntry>>): number {
  return Object.values(entries).reduce((sum, one) => sum + one.netMills, 0)
}

/** A sum, and what it must come to. */
type Claim = readonly [name: string, is: number, wanted: number]

/** Says what does not balance, one sentence each; empty if all does. */
export function imbalances(books: Books): readonly string[] {
  const claims: readonly Claim[] = [...moneyClaims(books), ...countClaims(books)]
  return claims
    .filter(([, is, wanted]) => is !== wanted)
    .map(([name, is, wanted]) => `${name}: ${is}, but should be ${wanted}`)
}

function moneyClaims({ ledger, orders, till, returns }: Books): readonly Claim[] {
  const net = netMills(ledger.kinds)
  return [
    [
      'charged − refunded mills (till) = shipped mills (orders)',
      till.chargedMills - till.refundedMills,
      orders.shippedMills,
    ],
    ['net mills by month (ledger) = net mills by kind', netMills(ledger.months), net],
    ['net mills by country (ledger) = net mills by kind', netMills(ledger.countries), net],
    [
      'claimed mills (returns) = cancelled mills (ledger)',
      returns.claimedMills,
      0 - ledger.kinds.cancellation.netMills,
    ],
    [
      'returned + credited mills (returns) = claimed mills',
      returns.returnedMills + returns.creditedMills,
      returns.claimedMills,
    ],
    ['returned mills (till) = returned mills (returns)', till.returnedMills, returns.returnedMills],
  ]
}

function countClaims({ ledger, orders, returns, stock, deadLetters }: Books): readonly Claim[] {
  const { shipped, declined, outOfStock, shippingFailed, open } = orders
  return [
    [
      'orders by end state = orders',
      shipped + declined + outOfStock + shippingFailed + open,
      orders.orders,
    ],
    ['orders (order status) = orders (ledger)', orders.orders, ledger.kinds.order.invoices],
    ['open orders', open, 0],
    [
      'cancellations (returns) = cancellations (ledger)',
      returns.cancellations,
      ledger.kinds.cancellation.invoices,
    ],
    ['open cancellations', returns.open, 0],
    ['pieces still reserved (stock)', stock.reserved, 0],
    ['dead letters', deadLetters, 0],
  ]
}
