/** Grouping on rows written out here, and as a property over shuffled neighbours. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { collect } from './collect.ts'
import { groupInvoices, invoiceKind, lineMills, monthOf, totalMills } from './invoice.ts'
import type { GroupOptions, Invoice } from './invoice.ts'
import type { Row } from './row.ts'

let line = 1

function row(part: Partial<Row> = {}): Row {
  line += 1
  return {
    line,
    invoiceNo: '1',
    stockCode: 'A',
    description: '',
    quantity: 1,
    date: '2010-12-01 08:00:00',
    priceMills: 1_000,
    country: 'France',
    ...part,
  }
}

function group(rows: readonly Row[], options?: GroupOptions): Promise<Invoice[]> {
  return collect(groupInvoices(rows, options))
}

describe('rows become invoices', () => {
  test('with all their lines, also the repeated ones, in file order', async () => {
    const rows = [row(), row(), row({ stockCode: 'B', quantity: 3, priceMills: 125 })]
    const [only, ...others] = await group(rows)
    expect(others).toEqual([])
    expect(only).toEqual({
      invoiceNo: '1',
      kind: 'order',
      date: '2010-12-01 08:00:00',
      country: 'France',
      totalMills: 2_375,
      lines: [
        { stockCode: 'A', description: '', quantity: 1, priceMills: 1_000 },
        { stockCode: 'A', description: '', quantity: 1, priceMills: 1_000 },
        { stockCode: 'B', description: '', quantity: 3, priceMills: 125 },
      ],
    })
  })

  test('even when their lines are mixed over some minutes, in the order of first lines', async () => {
    const invoices = await group([
      row({ invoiceNo: '1' }),
      row({ invoiceNo: '2', date: '2010-12-01 08:01:00' }),
      row({ invoiceNo: '1', date: '2010-12-01 08:09:00' }),
      row({ invoiceNo: '3', date: '2010-12-01 08:30:00' }),
    ])
    expect(invoices.map(({ invoiceNo, lines }) => [invoiceNo, lines.length])).toEqual([
      ['1', 2],
      ['2', 1],
      ['3', 1],
    ])
  })

  test('as soon as the clock has passed them by the window, not before', async () => {
    const taken: string[] = []
    const rows = [
      row({ invoiceNo: '1' }),
      row({ invoiceNo: '2', date: '2010-12-01 08:10:00' }),
      row({ invoiceNo: '3', date: '2010-12-01 08:10:01' }),
    ]
    function* watched(): Generator<Row> {
      for (const next of rows) {
        taken.push(`row ${next.invoiceNo}`)
        yield next
      }
    }
    for await (const { invoiceNo } of groupInvoices(watched())) taken.push(`invoice ${invoiceNo}`)
    expect(taken).toEqual(['row 1', 'row 2', 'row 3', 'invoice 1', 'invoice 2', 'invoice 3'])
  })

  test('and an invoice over midnight belongs whole to the month of its first line', async () => {
    const [only] = await group([
      row({ date: '2010-12-31 23:59:00' }),
      row({ date: '2011-01-01 00:00:00' }),
    ])
    expect(only?.lines).toHaveLength(2)
    expect(monthOf(only?.date ?? '')).toBe('2010-12')
  })

  test('the same ones, however neighbouring rows are mixed', async () => {
    const minute = fc.record({ invoiceNo: fc.constantFrom('1', '2', '3', 'C4'), minute: fc.nat(9) })
    await fc.assert(
      fc.asyncProperty(fc.array(minute, { maxLength: 60 }), async (plan) => {
        const rows = plan
          .toSorted((a, b) => a.minute - b.minute)
          .map((each) => row({ ...each, date: `2010-12-01 08:0${each.minute}:00` }))
        const invoices = await group(rows)
        const numbers = invoices.map(({ invoiceNo }) => invoiceNo)
        expect(numbers).toEqual([...new Set(rows.map(({ invoiceNo }) => invoiceNo))])
        expect(invoices.flatMap(({ lines }) => lines)).toHaveLength(rows.length)
      }),
    )
  })
})

describe('grouping refuses', () => {
  test('rows that go back in time', async () => {
    const rows = [row({ date: '2010-12-01 08:01:00' }), row({ date: '2010-12-01 08:00:00' })]
    await expect(group(rows)).rejects.toMatchObject({ code: 'out-of-order', line: rows[1]?.line })
  })

  test('a second customer or country in one invoice', async () => {
    await expect(group([row(), row({ country: 'Spain' })])).rejects.toMatchObject({
      code: 'inconsistent-invoice',
    })
    await expect(group([row(), row({ customerId: '7' })])).rejects.toThrow(
      /customer 7 in France here, but for none in France/,
    )
  })

  test('a line for an invoice that was handed out already', async () => {
    const rows = [
      row(),
      row({ invoiceNo: '2', date: '2010-12-01 08:11:00' }),
      row({ date: '2010-12-01 08:11:00' }),
    ]
    await expect(group(rows)).rejects.toMatchObject({ code: 'split-invoice', line: rows[2]?.line })
    expect(await group(rows, { windowMillis: 11 * 60_000 })).toHaveLength(2)
  })

  test('to hold more lines than allowed', async () => {
    await expect(group([row(), row(), row()], { maxOpenLines: 2 })).rejects.toMatchObject({
      code: 'too-many-open',
    })
  })
})

describe('the kind of an invoice', () => {
  const one = (quantity: number, priceMills: number) => [
    { stockCode: 'A', description: '', quantity, priceMills },
  ]

  test('follows from its number first, then from its lines', () => {
    expect(invoiceKind('C1', one(1, 1))).toBe('cancellation')
    expect(invoiceKind('A1', one(-1, 1))).toBe('badDebt')
    expect(invoiceKind('1', [...one(5, 100), ...one(-1, 100)])).toBe('stockAdjustment')
    expect(invoiceKind('1', one(1, 1))).toBe('order')
    expect(invoiceKind('1', one(1, 0))).toBe('zeroPrice')
  })

  test('comes with exact sums and no minus zero', () => {
    expect(totalMills([...one(3, 1), ...one(-1, 2_550)])).toBe(-2_547)
    expect(Object.is(lineMills({ ...one(-3, 0)[0]! }), 0)).toBe(true)
  })
})
