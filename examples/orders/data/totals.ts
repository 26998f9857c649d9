/**
 * The books of some invoices, added up line by line with no event, store or projection between:
 * the answer that a run's read models are held against. Refuses sums too large to be exact.
 */
import type { Invoice } from './invoice.ts'

export interface Books {
  readonly rows: number
  readonly invoices: number
  readonly orders: number
  readonly cancellations: number
  readonly badDebts: number
  readonly stockAdjustments: number
  readonly zeroPrice: number
  /** Over all lines of all kinds, in mills. */
  readonly netMills: number
  /** By `YYYY-MM`, keys ascending. */
  readonly netMillsByMonth: Readonly<Record<string, number>>
  /** By country as written, keys ascending. */
  readonly netMillsByCountry: Readonly<Record<string, number>>
}

/** Takes the invoices one by one; throws RangeError past 2^53 mills. */
export async function totals(invoices: AsyncIterable<Invoice> | Iterable<Invoice>): Promise<Books> {
  const kinds = { order: 0, cancellation: 0, badDebt: 0, stockAdjustment: 0, zeroPrice: 0 }
  const months = new Map<string, number>()
  const countries = new Map<string, number>()
  let rows = 0
  let count = 0
  let netMills = 0
  for await (const { kind, date, country, lines } of invoices) {
    count += 1
    kinds[kind] += 1
    for (const { quantity, priceMills } of lines) {
      const mills = quantity * priceMills
      rows += 1
      netMills += mills
      add(months, date.slice(0, 7), mills)
      add(countries, country, mills)
    }
  }
  return {
    rows,
    invoices: count,
    orders: kinds.order,
    cancellations: kinds.cancellation,
    badDebts: kinds.badDebt,
    stockAdjustments: kinds.stockAdjustment,
    zeroPrice: kinds.zeroPrice,
    netMills: exact(netMills),
    netMillsByMonth: sorted(months),
    netMillsByCountry: sorted(countries),
  }
}

function add(sums: Map<string, number>, key: string, mills: number): void {
  sums.set(key, exact((sums.get(key) ?? 0) + mills))
}

function exact(mills: number): number {
  if (Number.isSafeInteger(mills)) return mills
  throw new RangeError(`a sum of ${mills} mills is too large to be exact: split the file`)
}

/** By code unit, so that no machine's language changes the order. */
function sorted(sums: ReadonlyMap<string, number>): Readonly<Record<string, number>> {
  return Object.fromEntries([...sums].toSorted(([a], [b]) => (a < b ? -1 : 1)))
}
