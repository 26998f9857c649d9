/** The generated day: the same again, well formed, and with every kind of invoice in it. */
import { describe, expect, test } from 'vitest'
import { collect } from './collect.ts'
import { tradingDay } from './generate.ts'
import { groupInvoices, invoiceKind, totalMills } from './invoice.ts'
import type { Invoice } from './invoice.ts'
import type { Row } from './row.ts'
import { totals } from './totals.ts'

const day = [...tradingDay({ seed: 1 })]

describe('a generated day', () => {
  test('is the same for the same seed, else another', () => {
    expect([...tradingDay({ seed: 1 })]).toEqual(day)
    expect([...tradingDay({ seed: 2 })]).not.toEqual(day)
  })

  test('holds a few thousand orders and some of every other kind', async () => {
    const { orders, cancellations, badDebts, stockAdjustments, zeroPrice } = await totals(day)
    expect({ orders, cancellations, badDebts, stockAdjustments, zeroPrice }).toEqual({
      orders: 3_000,
      cancellations: 300,
      badDebts: 1,
      stockAdjustments: 20,
      zeroPrice: 12,
    })
  })

  test('says of every invoice what its number and lines say', () => {
    for (const { invoiceNo, kind, lines, totalMills: total } of day) {
      expect(invoiceKind(invoiceNo, lines)).toBe(kind)
      expect(totalMills(lines)).toBe(total)
    }
  })

  test('could be a file: grouping its rows gives it back', async () => {
    expect(await collect(groupInvoices(rowsOf(day)))).toEqual(day)
  })

  test('cancels earlier orders of the same customer, and now and then none', () => {
    const bought = new Map<string, number>()
    let matched = 0
    let stray = 0
    for (const { kind, customerId, lines } of day) {
      for (const { stockCode, quantity } of lines) {
        const key = `${customerId} ${stockCode}`
        if (kind === 'order') bought.set(key, (bought.get(key) ?? 0) + quantity)
        else if (kind !== 'cancellation') continue
        else if ((bought.get(key) ?? 0) >= -quantity) matched += 1
        else stray += 1
      }
    }
    expect(matched).toBeGreaterThan(300)
    expect(stray).toBeGreaterThan(20)
  })

  test('has guests, customers abroad and prices finer than a penny', () => {
    const orders = day.filter(({ kind }) => kind === 'order')
    expect(orders.some(({ customerId }) => customerId === undefined)).toBe(true)
    expect(new Set(orders.map(({ country }) => country)).size).toBeGreaterThan(5)
    expect(orders.some(({ totalMills: total }) => total % 10 !== 0)).toBe(true)
  })
})

describe('generated days', () => {
  test('follow one another with other numbers and dates, and the same goods', () => {
    const next = [...tradingDay({ seed: 1, day: 1 })]
    const numbers = new Set([...day, ...next].map(({ invoiceNo }) => invoiceNo))
    expect(numbers.size).toBe(day.length + next.length)
    expect([day[0]?.date, next[0]?.date]).toEqual(['2026-01-05 07:00:00', '2026-01-06 07:00:00'])
    const known = new Set(goods(day))
    expect(goods(next).every((product) => known.has(product))).toBe(true)
  })

  test('may be as small as one order', async () => {
    const books = await totals(tradingDay({ seed: 1, orders: 1 }))
    expect(books).toMatchObject({ orders: 1, invoices: 5 })
  })

  test.for([0, 5_001, 1.5, Number.NaN])('cannot have %d orders', (orders) => {
    expect(() => [...tradingDay({ seed: 1, orders })]).toThrow(/orders is .* from 1 to 5000/)
  })
})

function goods(invoices: readonly Invoice[]): readonly string[] {
  return invoices
    .filter(({ kind }) => kind === 'order')
    .flatMap(({ lines }) => lines.map(({ stockCode, priceMills }) => `${stockCode} ${priceMills}`))
}

function rowsOf(invoices: readonly Invoice[]): readonly Row[] {
  return invoices.flatMap(({ invoiceNo, date, customerId, country, lines }) =>
    lines.map((line) => ({
      line: 2,
      invoiceNo,
      date,
      country,
      ...line,
      ...(customerId === undefined ? {} : { customerId }),
    })),
  )
}
