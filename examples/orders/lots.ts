/**
 * Pieces of goods as counts by key. A lot is one stock code at one price, which is what a return is
 * matched by; items are counted by stock code alone.
 */
import type { Line } from './slip.ts'

/** Pieces by stock code. */
export type Items = Readonly<Record<string, number>>

/** Pieces by lot: `85123A@2550` is stock code 85123A at 2,550 mills. */
export type Lots = Readonly<Record<string, number>>

export function lotOf({ stockCode, priceMills }: Pick<Line, 'stockCode' | 'priceMills'>): string {
  return `${stockCode}@${priceMills}`
}

/** A stock code may hold an `@` of its own; a price never does. */
export function partsOf(lot: string): { readonly stockCode: string; readonly priceMills: number } {
  const at = lot.lastIndexOf('@')
  return { stockCode: lot.slice(0, at), priceMills: Number(lot.slice(at + 1)) }
}

export function itemsOf(lines: readonly Line[]): Items {
  return counted(lines.map(({ stockCode, quantity }) => [stockCode, quantity]))
}

export function lotsOf(lines: readonly Line[]): Lots {
  return counted(lines.map((line) => [lotOf(line), line.quantity]))
}

export function itemsOfLots(lots: Lots): Items {
  return counted(Object.entries(lots).map(([lot, pieces]) => [partsOf(lot).stockCode, pieces]))
}

/** What the lots are worth. Adding zero turns minus zero, which JSON cannot hold, into zero. */
export function lotsMills(lots: Lots): number {
  const sum = Object.entries(lots).reduce(
    (mills, [lot, pieces]) => mills + pieces * partsOf(lot).priceMills,
    0,
  )
  return sum + 0
}

/** Adds up equal keys. */
export function counted(
  entries: Iterable<readonly [string, number]>,
): Readonly<Record<string, number>> {
  const sums = new Map<string, number>()
  for (const [key, pieces] of entries) sums.set(key, (sums.get(key) ?? 0) + pieces)
  return Object.fromEntries(sums)
}
