/**
 * One line of an order file, checked and typed. Text stays as it is, numbers become integers;
 * a cell that cannot be taken exactly is refused with its line and what to do about it.
 */
import { DataError } from './data-error.ts'
import { parseMills } from './money.ts'

export interface Row {
  /** The line of the file it ends on, counted from 1 (the header). */
  readonly line: number
  readonly invoiceNo: string
  readonly stockCode: string
  /** As written, spaces included; may be empty. */
  readonly description: string
  readonly quantity: number
  /** `YYYY-MM-DD HH:MM:SS`, local time of the shop, no zone: compares as text. */
  readonly date: string
  /** Price of one piece in mills (thousandths of a pound). */
  readonly priceMills: number
  readonly customerId?: string
  readonly country: string
}

const COLUMNS = [
  'InvoiceNo',
  'StockCode',
  'Description',
  'Quantity',
  'InvoiceDate',
  'UnitPrice',
  'CustomerID',
  'Country',
] as const

type Column = (typeof COLUMNS)[number]

/** Turns the cells of a line into a row, by the header's order of columns. */
export type RowParser = (cells: readonly string[], line: number) => Row

/** Columns may stand in any order and others beside them; throws `missing-column` otherwise. */
export function rowParser(header: readonly string[], path: string): RowParser {
  const missing = COLUMNS.filter((column) => !header.includes(column))
  if (missing.length > 0) {
    throw new DataError(
      'missing-column',
      `the header lacks ${missing.join(', ')}; it has: ${header.join(', ')}. ` +
        `The first line must name ${COLUMNS.join(', ')}, separated by commas.`,
      { path, line: 1 },
    )
  }
  const index = Object.fromEntries(COLUMNS.map((column) => [column, header.indexOf(column)]))
  const isTime = timeCheck()
  return (cells, line) =>
    toRow({ path, line, isTime, text: (column) => cells[index[column] ?? -1] ?? '' })
}

/** Neighbouring rows share their time, so that only a new one is worth checking. */
function timeCheck(): (text: string) => boolean {
  let last = ''
  return (text) => {
    if (text === last) return true
    if (localMillis(text) === undefined) return false
    last = text
    return true
  }
}

interface Cells {
  readonly path: string
  readonly line: number
  readonly isTime: (text: string) => boolean
  text(column: Column): string
}

function toRow(cells: Cells): Row {
  const customerId = cells.text('CustomerID')
  const row = {
    line: cells.line,
    invoiceNo: required(cells, 'InvoiceNo'),
    stockCode: required(cells, 'StockCode'),
    description: cells.text('Description'),
    quantity: quantity(cells),
    date: date(cells),
    priceMills: price(cells),
    ...(customerId === '' ? {} : { customerId }),
    country: required(cells, 'Country'),
  }
  if (row.description.includes('\uFFFD')) {
    throw bad(cells, 'Description', 'not UTF-8. Convert the file to UTF-8')
  }
  if (!Number.isSafeInteger(row.quantity * row.priceMills)) {
    throw bad(cells, 'Quantity', 'too large to multiply exactly. Correct it')
  }
  return row
}

function required(cells: Cells, column: Column): string {
  const text = cells.text(column)
  if (text === '') throw bad(cells, column, 'empty. Fill it in')
  return text
}

function quantity(cells: Cells): number {
  const text = cells.text('Quantity')
  // Adding zero turns the minus zero of '-0' into zero.
  if (/^-?\d{1,15}$/.test(text)) return Number(text) + 0
  throw bad(cells, 'Quantity', 'not a whole number. Write it as 12 or -12')
}

function price(cells: Cells): number {
  const mills = parseMills(cells.text('UnitPrice'))
  if (mills !== undefined) return mills
  const problem = 'not an amount with at most three decimals. Write it as 2.55 or -0.125'
  throw bad(cells, 'UnitPrice', problem)
}

function date(cells: Cells): string {
  const text = cells.text('InvoiceDate')
  if (cells.isTime(text)) return text
  throw bad(cells, 'InvoiceDate', 'not a time. Write it as 2011-12-05 14:30:00')
}

function bad(cells: Cells, column: Column, problem: string): DataError {
  const text = cells.text(column)
  const shown = JSON.stringify(text.length > 60 ? `${text.slice(0, 60)}…` : text)
  const message = `${column} is ${shown}: ${problem}, or leave the line out.`
  return new DataError('bad-value', message, { path: cells.path, line: cells.line })
}

/**
 * A local time as a number to measure distances with (ms, as if it were UTC); `undefined` if
 * there is no such day or time. An hour that daylight saving skips or repeats counts once.
 */
export function localMillis(text: string): number | undefined {
  if (!/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d$/.test(text)) return undefined
  const iso = `${text.replace(' ', 'T')}.000Z`
  const millis = Date.parse(iso)
  if (Number.isNaN(millis) || new Date(millis).toISOString() !== iso) return undefined
  return millis
}
