/**
 * The Online Retail year and a sample of it (Chen, D. (2015), UCI Machine Learning Repository,
 * https://doi.org/10.24432/C5BW33, CC BY 4.0), which lie beside the repository and not in it:
 * read whole and held against their published sums.
 */
import { describe, expect, test } from 'vitest'
import { openRows } from './csv.ts'
import { groupInvoices } from './invoice.ts'
import type { Invoice } from './invoice.ts'
import { absent, SAMPLE, skipReason, YEAR } from './real-data.ts'
import type { Row } from './row.ts'
import { totals } from './totals.ts'

const required = process.env['THENCE_REQUIRE_ALL'] === '1'

test('the real data is there if THENCE_REQUIRE_ALL=1 demands it', () => {
  expect(required ? absent : []).toEqual([])
})

describe.skipIf(absent.length > 0)(`the real data${skipReason}`, () => {
  test('the sample of three days adds up', async () => {
    const file = await openRows(SAMPLE)
    expect(await totals(groupInvoices(file.rows()))).toMatchObject({
      rows: 7_419,
      invoices: 418,
      orders: 337,
      cancellations: 36,
      badDebts: 0,
      stockAdjustments: 30,
      zeroPrice: 15,
      netMills: 150_463_300,
      netMillsByMonth: { '2010-12': 150_463_300 },
    })
  })

  test('the year adds up, and no invoice is split', { timeout: 60_000 }, async () => {
    const file = await openRows(YEAR)
    const byRow = new RowSums()
    const numbers = new Set<string>()
    const watch = async function* (all: AsyncIterable<Invoice>): AsyncGenerator<Invoice> {
      for await (const invoice of all) {
        numbers.add(invoice.invoiceNo)
        yield invoice
      }
    }
    // The busiest minutes hold some 1,500 lines: what grouping keeps does not grow with the file.
    const invoices = groupInvoices(byRow.through(file.rows()), { maxOpenLines: 2_000 })
    const books = await totals(watch(invoices))
    expect(books).toMatchObject({
      rows: 541_909,
      invoices: 25_900,
      orders: 19_959,
      cancellations: 3_836,
      badDebts: 3,
      stockAdjustments: 1_336,
      zeroPrice: 766,
      netMills: 9_747_747_934,
    })
    expect(numbers.size).toBe(25_900)
    expect(Object.keys(books.netMillsByMonth)).toHaveLength(13)
    expect(Object.keys(books.netMillsByCountry)).toHaveLength(38)
    // An invoice counts whole on its first line's date; line by line gives the same here.
    expect(books.netMillsByMonth).toEqual(Object.fromEntries(byRow.months))
    expect(books.netMillsByCountry).toEqual(Object.fromEntries(byRow.countries))
    expect(file.bytesRead()).toBe(file.bytesTotal)
  })
})

/** The same sums from the bare rows, with no invoice in between. */
class RowSums {
  readonly months = new Map<string, number>()
  readonly countries = new Map<string, number>()

  async *through(rows: AsyncIterable<Row>): AsyncGenerator<Row> {
    for await (const row of rows) {
      const mills = row.quantity * row.priceMills
      const month = row.date.slice(0, 7)
      this.months.set(month, (this.months.get(month) ?? 0) + mills)
      this.countries.set(row.country, (this.countries.get(row.country) ?? 0) + mills)
      yield row
    }
  }
}
