/**
 * The books for people, on one screen, and for programs, as one JSON object. Every figure comes
 * from the read models.
 */
import { formatMills } from './data/money.ts'
import type { LedgerEntry } from './ledger/messages.ts'
import { orderEnds } from './orders/messages.ts'
import { count } from './progress.ts'
import { SIMULATED_RATES } from './simulation.ts'
import { netMills } from './summary.ts'
import type { Books } from './summary.ts'

/** How the run went; nothing of it is in the books. */
export interface RunFigures {
  readonly source: string
  readonly seed: number
  /** The file of the history; null in memory. */
  readonly database: string | null
  readonly seconds: number
  /** Recorded by this run. */
  readonly messagesNow: number
  /** The most memory the process held. */
  readonly peakBytes: number
}

const sum = (entries: Readonly<Record<string, LedgerEntry>>, of: keyof LedgerEntry): number =>
  Object.values(entries).reduce((total, one) => total + one[of], 0)

const millsBy = (entries: Readonly<Record<string, LedgerEntry>>): Record<string, number> =>
  Object.fromEntries(Object.entries(entries).map(([key, one]) => [key, one.netMills]))

/** The summary for programs; README.md says what each field means. */
export function jsonReport(books: Books, run: RunFigures): Readonly<Record<string, unknown>> {
  const { ledger, orders, till, returns, stock } = books
  const { kinds, months, countries } = ledger
  return {
    rows: sum(kinds, 'rows'),
    invoices: sum(kinds, 'invoices'),
    orders: orders.orders,
    cancellations: kinds.cancellation.invoices,
    badDebts: kinds.badDebt.invoices,
    stockAdjustments: kinds.stockAdjustment.invoices,
    zeroPrice: kinds.zeroPrice.invoices,
    netMills: netMills(kinds),
    netMillsByMonth: millsBy(months),
    netMillsByCountry: millsBy(countries),
    shipped: orders.shipped,
    declined: orders.declined,
    outOfStock: orders.outOfStock,
    shippingFailed: orders.shippingFailed,
    open: orders.open,
    chargedMills: till.chargedMills,
    refundedMills: till.refundedMills,
    shippedMills: orders.shippedMills,
    cancellationsMatched: returns.matched,
    cancellationsPartlyMatched: returns.partlyMatched,
    cancellationsUnmatched: returns.unmatched,
    returnedMills: till.returnedMills,
    creditedMills: returns.creditedMills,
    stockCodes: stock.stockCodes,
    piecesShipped: stock.shipped,
    piecesReturned: stock.returned,
    simulated: SIMULATED_RATES,
    seed: run.seed,
    source: run.source,
    database: run.database,
    messages: books.messages,
    deadLetters: books.deadLetters,
    seconds: Math.round(run.seconds * 1000) / 1000,
    messagesPerSecond: rate(run),
    peakMemoryBytes: run.peakBytes,
  }
}

/** The summary for people; at most 24 lines of 80 characters. */
export function textReport(books: Books, run: RunFigures): string {
  const { ledger, orders, till, returns } = books
  const { kinds, months, countries } = ledger
  const pounds = (mills: number): string => formatMills(mills).padStart(15)
  const label = (text: string): string => text.padEnd(13)
  const ends = orderEnds.map((end) => `${count(orders[end])} ${words[end]}`)
  const others = [
    `${count(kinds.cancellation.invoices)} cancellations`,
    `${count(kinds.badDebt.invoices)} bad debts`,
    `${count(kinds.stockAdjustment.invoices)} stock adjustments`,
    `${count(kinds.zeroPrice.invoices)} without a price`,
  ]
  const matched = `${count(returns.matched)} matched, ${count(returns.partlyMatched)} in part`
  return [
    `Traded ${run.source}: ${count(sum(kinds, 'invoices'))} invoices, ${count(sum(kinds, 'rows'))} lines`,
    `${label('Orders')}${count(orders.orders)}: ${ends.join(', ')}`,
    `${label('')}(payment, stock and shipping answers are simulated, seed ${run.seed})`,
    `${label('Others')}${others.join(', ')}`,
    `${label('Returns')}${matched}, ${count(returns.unmatched)} unmatched`,
    '',
    `${label('Charged')}${pounds(till.chargedMills)} GBP`,
    `${label('− refunded')}${pounds(till.refundedMills)}     orders that could not be fulfilled`,
    `${label('= shipped')}${pounds(orders.shippedMills)}`,
    `${label('Returned')}${pounds(till.returnedMills)}     paid back for goods that came back`,
    `${label('Credited')}${pounds(returns.creditedMills)}     cancellations that fit no order`,
    `${label('Net')}${pounds(netMills(kinds))}     all lines of all kinds, ` +
      `${Object.keys(months).length} months, ${Object.keys(countries).length} countries`,
    '',
    `${label('History')}${count(books.messages)} messages, ${count(books.deadLetters)} dead letters` +
      (run.messagesNow > 0
        ? `, ${count(run.messagesNow)} in ${run.seconds.toFixed(1)} s (${count(rate(run))}/s)`
        : ', nothing new'),
    `${label('Memory')}at most ${(run.peakBytes / 1e6).toFixed(0)} MB`,
  ].join('\n')
}

const words = {
  shipped: 'shipped',
  declined: 'declined',
  outOfStock: 'out of stock',
  shippingFailed: 'lost in shipping',
} as const

function rate({ messagesNow, seconds }: RunFigures): number {
  return seconds > 0 ? Math.round(messagesNow / seconds) : 0
}
