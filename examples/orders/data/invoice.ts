/**
 * Gathers the rows of a file, sorted by time, into whole invoices, holding only those that may
 * still get lines. Refuses rows that go back in time, an invoice with two customers or countries,
 * and a line for an invoice that was handed out already: a split invoice would be booked twice.
 */
import { DataError } from './data-error.ts'
import { localMillis } from './row.ts'
import type { Row } from './row.ts'

export type InvoiceKind = 'order' | 'cancellation' | 'badDebt' | 'stockAdjustment' | 'zeroPrice'

export interface InvoiceLine {
  readonly stockCode: string
  readonly description: string
  /** Negative for goods that come back or are written off. */
  readonly quantity: number
  readonly priceMills: number
}

export interface Invoice {
  readonly invoiceNo: string
  readonly kind: InvoiceKind
  /** Of its first line, `YYYY-MM-DD HH:MM:SS` local; the whole invoice is booked on this date. */
  readonly date: string
  /** Absent for guests. */
  readonly customerId?: string
  readonly country: string
  /** The sum over its lines, exact. */
  readonly totalMills: number
  /** In file order, never empty; repeated lines are real and stay. */
  readonly lines: readonly InvoiceLine[]
}

export interface GroupOptions {
  /** How long after an invoice's last line another one may come, in ms. Default: ten minutes. */
  readonly windowMillis?: number
  /** The most lines held at once before giving up with `too-many-open`. Default: 100,000. */
  readonly maxOpenLines?: number
}

/** How many of the last invoices handed out are remembered, to notice a line that comes late. */
const REMEMBERED = 5_000

interface OpenInvoice {
  readonly first: Row
  readonly lines: InvoiceLine[]
  lastMillis: number
}

/**
 * Invoices in the order of their first lines. One is handed out once the rows' clock is past its
 * last line by the window, and no earlier one is still open.
 */
export async function* groupInvoices(
  rows: AsyncIterable<Row> | Iterable<Row>,
  options: GroupOptions = {},
): AsyncGenerator<Invoice, void, undefined> {
  const gathering = new Gathering(options)
  for await (const row of rows) {
    const ready = gathering.add(row)
    if (ready.length > 0) yield* ready
  }
  yield* gathering.rest()
}

class Gathering {
  readonly #open = new Map<string, OpenInvoice>()
  readonly #closed = new Set<string>()
  readonly #windowMillis: number
  readonly #maxOpenLines: number
  #openLines = 0
  #date = ''
  #millis = Number.NEGATIVE_INFINITY

  constructor({ windowMillis = 10 * 60_000, maxOpenLines = 100_000 }: GroupOptions) {
    this.#windowMillis = windowMillis
    this.#maxOpenLines = maxOpenLines
  }

  /** Takes a row and returns the invoices that its time has completed. */
  add(row: Row): readonly Invoice[] {
    const ready = row.date === this.#date ? [] : this.#advance(row)
    const { invoiceNo } = row
    const found = this.#open.get(invoiceNo)
    if (found === undefined) this.#start(row)
    else this.#extend(found, row)
    this.#openLines += 1
    if (this.#openLines > this.#maxOpenLines) {
      throw new DataError(
        'too-many-open',
        `${this.#openLines} lines fall within ${this.#windowMillis / 60_000} minutes. ` +
          'Check the InvoiceDate column, or allow more open lines.',
        { line: row.line },
      )
    }
    return ready
  }

  rest(): readonly Invoice[] {
    return this.#take(Number.POSITIVE_INFINITY)
  }

  #advance(row: Row): readonly Invoice[] {
    const millis = localMillis(row.date) ?? Number.NaN
    if (!(millis >= this.#millis)) {
      throw new DataError(
        'out-of-order',
        `InvoiceDate ${row.date} comes after ${this.#date}. Sort the file by InvoiceDate.`,
        { line: row.line },
      )
    }
    this.#date = row.date
    this.#millis = millis
    return this.#take(millis)
  }

  #start(row: Row): void {
    if (this.#closed.has(row.invoiceNo)) {
      throw new DataError(
        'split-invoice',
        `invoice ${row.invoiceNo} gets a line more than ${this.#windowMillis / 60_000} minutes ` +
          'after its last one. Correct its InvoiceDate, or group with a longer window.',
        { line: row.line },
      )
    }
    this.#open.set(row.invoiceNo, { first: row, lines: [lineOf(row)], lastMillis: this.#millis })
  }

  #extend(invoice: OpenInvoice, row: Row): void {
    const { first } = invoice
    if (first.customerId !== row.customerId || first.country !== row.country) {
      throw new DataError(
        'inconsistent-invoice',
        `invoice ${row.invoiceNo} is for customer ${row.customerId ?? 'none'} in ${row.country} ` +
          `here, but for ${first.customerId ?? 'none'} in ${first.country} in line ${first.line}. ` +
          'Give all its lines the same CustomerID and Country.',
        { line: row.line },
      )
    }
    invoice.lines.push(lineOf(row))
    invoice.lastMillis = this.#millis
  }

  /** The invoices from the front whose window has passed; an open one holds back those behind. */
  #take(now: number): readonly Invoice[] {
    const ready: Invoice[] = []
    for (const [invoiceNo, open] of this.#open) {
      if (now - open.lastMillis <= this.#windowMillis) break
      this.#open.delete(invoiceNo)
      this.#openLines -= open.lines.length
      this.#remember(invoiceNo)
      ready.push(complete(open))
    }
    return ready
  }

  #remember(invoiceNo: string): void {
    this.#closed.add(invoiceNo)
    if (this.#closed.size <= REMEMBERED) return
    const [oldest] = this.#closed
    if (oldest !== undefined) this.#closed.delete(oldest)
  }
}

/** The five kinds partition every file: what is no other kind is `zeroPrice`. */
export function invoiceKind(invoiceNo: string, lines: readonly InvoiceLine[]): InvoiceKind {
  if (invoiceNo.startsWith('C')) return 'cancellation'
  if (invoiceNo.startsWith('A')) return 'badDebt'
  if (lines.some((line) => line.quantity < 0)) return 'stockAdjustment'
  return totalMills(lines) > 0 ? 'order' : 'zeroPrice'
}

/** What a line comes to. Adding zero turns minus zero, which JSON cannot hold, into zero. */
export function lineMills(line: InvoiceLine): number {
  return line.quantity * line.priceMills + 0
}

export function totalMills(lines: readonly InvoiceLine[]): number {
  return lines.reduce((sum, line) => sum + lineMills(line), 0)
}

/** `YYYY-MM` of the date, local. An invoice over midnight belongs whole to its first line's month. */
export function monthOf(date: string): string {
  return date.slice(0, 7)
}

function lineOf({ stockCode, description, quantity, priceMills }: Row): InvoiceLine {
  return { stockCode, description, quantity, priceMills }
}

function complete({ first, lines }: OpenInvoice): Invoice {
  const { invoiceNo, date, customerId, country } = first
  return {
    invoiceNo,
    kind: invoiceKind(invoiceNo, lines),
    date,
    ...(customerId === undefined ? {} : { customerId }),
    country,
    totalMills: totalMills(lines),
    lines,
  }
}
