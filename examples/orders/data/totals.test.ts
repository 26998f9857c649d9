/** The oracle itself, on invoices small enough to add up by hand. */
import { expect, test } from 'vitest'
import type { Invoice, InvoiceKind, InvoiceLine } from './invoice.ts'
import { totals } from './totals.ts'

function invoice(kind: InvoiceKind, lines: readonly (readonly [number, number])[]): Invoice {
  return {
    invoiceNo: '1',
    kind,
    date: kind === 'order' ? '2010-12-31 23:59:00' : '2011-01-01 00:00:00',
    country: kind === 'order' ? 'Spain' : 'France',
    totalMills: Number.NaN, // the oracle adds up the lines itself
    lines: lines.map(([quantity, priceMills]): InvoiceLine => ({
      stockCode: 'A',
      description: '',
      quantity,
      priceMills,
    })),
  }
}

test('the books count every kind and add up every line', async () => {
  const books = await totals([
    invoice('order', [
      [2, 1_500],
      [3, 1],
    ]),
    invoice('order', [[1, 10]]),
    invoice('cancellation', [[-1, 1_500]]),
    invoice('badDebt', [[1, -700]]),
    invoice('stockAdjustment', [[-4, 0]]),
    invoice('zeroPrice', [[4, 0]]),
  ])
  expect(books).toEqual({
    rows: 7,
    invoices: 6,
    orders: 2,
    cancellations: 1,
    badDebts: 1,
    stockAdjustments: 1,
    zeroPrice: 1,
    netMills: 813,
    netMillsByMonth: { '2010-12': 3_013, '2011-01': -2_200 },
    netMillsByCountry: { France: -2_200, Spain: 3_013 },
  })
  expect(Object.keys(books.netMillsByCountry)).toEqual(['France', 'Spain'])
})

test('a sum past 2^53 is refused', async () => {
  const huge = invoice('order', [
    [1, Number.MAX_SAFE_INTEGER],
    [1, 1],
  ])
  await expect(totals([huge])).rejects.toThrow(/too large to be exact/)
})
