/** Good and bad files, small enough to read here; real-data.test.ts reads the real ones. */
import { gzipSync } from 'node:zlib'
import { describe, expect, test } from 'vitest'
import { collect } from './collect.ts'
import { openRows } from './csv.ts'
import type { DataError } from './data-error.ts'
import type { Row } from './row.ts'
import { temporaryFile } from './temporary-file.ts'

const HEADER = 'InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country'
const GOOD = '536365,85123A,HEART HOLDER,6,2010-12-01 08:26:00,2.55,17850,United Kingdom'

async function rowsOf(content: string | Uint8Array, name = 'orders.csv'): Promise<Row[]> {
  const file = await openRows(await temporaryFile(name, content))
  return collect(file.rows())
}

function lines(...rows: readonly string[]): string {
  return `${[HEADER, ...rows].join('\n')}\n`
}

const error = (part: Partial<DataError>): unknown =>
  expect.objectContaining({ name: 'DataError', ...part })
const says = (...texts: readonly string[]): RegExp => new RegExp(texts.join('[^]*'))

describe('a file that is well formed', () => {
  test('becomes typed rows with their lines', async () => {
    expect(await rowsOf(lines(GOOD))).toEqual([
      {
        line: 2,
        invoiceNo: '536365',
        stockCode: '85123A',
        description: 'HEART HOLDER',
        quantity: 6,
        date: '2010-12-01 08:26:00',
        priceMills: 2550,
        customerId: '17850',
        country: 'United Kingdom',
      },
    ])
  })

  test('may hold commas, quotes and line ends inside quotes, and spaces stay', async () => {
    const row = '1,A,"6"" PLATE, ""RED""\nSMALL ",1,2010-12-01 08:26:00,0.001,,France'
    const [first, second] = await rowsOf(lines(row, GOOD))
    expect(first).toMatchObject({ description: '6" PLATE, "RED"\nSMALL ', priceMills: 1, line: 3 })
    expect(second?.line).toBe(4)
  })

  test('has no customer id where the cell is empty, and no minus zero', async () => {
    const [row] = await rowsOf(lines('1,A,,-0,2010-12-01 08:26:00,-0.00,,France'))
    expect(row).not.toHaveProperty('customerId')
    expect(row).toMatchObject({ quantity: 0, priceMills: 0, description: '' })
  })

  test('may have its columns in another order, others beside them, and a byte order mark', async () => {
    const header = 'Country,Extra,InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice'
    const row = 'France,x,1,A,B,1,2010-12-01 08:26:00,2.5,7'
    const [first] = await rowsOf(`\uFEFF${header},CustomerID\r\n${row}\r\n`)
    expect(first).toMatchObject({ country: 'France', invoiceNo: '1', customerId: '7' })
  })

  test('may be gzipped, whatever its name', async () => {
    expect(await rowsOf(gzipSync(lines(GOOD)), 'orders.csv')).toHaveLength(1)
    expect(await rowsOf(lines(GOOD), 'orders.csv.gz')).toHaveLength(1)
  })

  test('without any row gives none', async () => {
    expect(await rowsOf(lines())).toEqual([])
  })
})

describe('how far it is', () => {
  test('is known in bytes of the file, and each reading starts at the beginning', async () => {
    const content = gzipSync(lines(...Array.from({ length: 100 }, () => GOOD)))
    const file = await openRows(await temporaryFile('orders.csv.gz', content))
    expect([file.bytesRead(), file.bytesTotal]).toEqual([0, content.length])
    for (const reading of [1, 2]) {
      expect(await collect(file.rows()), `reading ${reading}`).toHaveLength(100)
      expect(file.bytesRead()).toBe(content.length)
    }
  })

  test('stays near the rows taken: a slow reader holds back the file', async () => {
    const content = lines(...Array.from({ length: 100_000 }, () => GOOD))
    const file = await openRows(await temporaryFile('orders.csv', content))
    for await (const row of file.rows()) {
      if (row.line < 1_000) continue
      expect(file.bytesRead()).toBeLessThan(1_000_000)
      expect(file.bytesTotal).toBeGreaterThan(7_000_000)
      break
    }
  })
})

describe('a file that cannot be read', () => {
  test('because it is not there says so', async () => {
    await expect(openRows('no-such.csv')).rejects.toEqual(
      error({ code: 'file-unreadable', message: expect.stringMatching(/no such file/) as string }),
    )
  })

  test('because it is a folder says so', async () => {
    await expect(openRows('.')).rejects.toEqual(error({ code: 'file-unreadable' }))
  })

  test('because its gzip data ends early gives the rows before, then fails', async () => {
    const noise = Array.from({ length: 5_000 }, (_, index) =>
      GOOD.replace('6365', `${index * 7919}`),
    )
    const whole = gzipSync(lines(...noise))
    const path = await temporaryFile('orders.csv.gz', whole.subarray(0, whole.length / 2))
    const file = await openRows(path)
    let rows = 0
    const reading = async (): Promise<void> => {
      for await (const row of file.rows()) rows = row.line - 1
    }
    await expect(reading()).rejects.toEqual(error({ code: 'file-truncated', path }))
    expect(rows).toBeLessThan(5_000)
  })

  test('because its gzip data is damaged says so', async () => {
    const content = gzipSync(lines(GOOD))
    content.fill(0xff, 12, 30)
    await expect(rowsOf(content)).rejects.toEqual(error({ code: 'file-corrupt' }))
  })

  test('because it is empty says which columns it needs', async () => {
    await expect(rowsOf('')).rejects.toEqual(error({ code: 'missing-column', line: 1 }))
  })

  test('because a column is missing names it', async () => {
    await expect(rowsOf('InvoiceNo,StockCode\n1,A\n')).rejects.toThrow(
      says('line 1', 'lacks Description, Quantity', 'it has: InvoiceNo, StockCode'),
    )
  })

  test('because a line is cut off names the line', async () => {
    await expect(rowsOf(lines(GOOD, '536365,85123A,HEART'))).rejects.toThrow(
      says('line 3: Invalid Record Length: expect 8, got 3'),
    )
  })

  test('because a quote stands alone names the line', async () => {
    const row = GOOD.replace('HEART', '6" HEART')
    await expect(rowsOf(lines(GOOD, row))).rejects.toEqual(
      error({ code: 'malformed-row', line: 3 }),
    )
  })

  test('because a quote is never closed fails without holding the rest', async () => {
    const rest = Array.from({ length: 100_000 }, () => GOOD)
    const content = lines(GOOD.replace('HEART', '"HEART'), GOOD.replace('HEART HOLDER', '"HEART'))
    await expect(rowsOf(content)).rejects.toEqual(error({ code: 'malformed-row' }))
    await expect(rowsOf(lines(GOOD.replace('HEART HOLDER', '"HEART'), ...rest))).rejects.toThrow(
      /exceed the maximum number of tolerated bytes/,
    )
  })

  test.for([
    ['Quantity', '6', 'six'],
    ['Quantity', '6', '6.5'],
    ['Quantity', '6', '1e3'],
    ['UnitPrice', '2.55', '2.5555'],
    ['UnitPrice', '2.55', '2,55'],
    ['UnitPrice', '2.55', ''],
    ['UnitPrice', '2.55', 'NaN'],
    ['InvoiceDate', '2010-12-01 08:26:00', '01/12/2010 08:26'],
    ['InvoiceDate', '2010-12-01 08:26:00', '2010-02-30 08:26:00'],
    ['InvoiceDate', '2010-12-01 08:26:00', '2010-12-01 24:00:00'],
    ['InvoiceNo', '536365', ''],
    ['StockCode', '85123A', ''],
    ['Country', 'United Kingdom', ''],
    ['Description', 'HEART HOLDER', 'CAF\uFFFD'],
  ] as const)('because %s is not %s but "%s" names line and cell', async ([column, from, to]) => {
    const cell = to.includes(',') ? `"${to}"` : to
    const row = GOOD.split(',').map((text) => (text === from ? cell : text))
    await expect(rowsOf(lines(GOOD, row.join(',')))).rejects.toEqual(
      error({
        code: 'bad-value',
        line: 3,
        message: expect.stringContaining(`line 3: ${column} is "${to}": `) as string,
      }),
    )
  })

  test('because quantity times price is too large says so', async () => {
    const row = '1,A,B,999999999999999,2010-12-01 08:26:00,999999.99,,France'
    await expect(rowsOf(lines(row))).rejects.toThrow(/too large to multiply exactly/)
  })
})
