/**
 * A trading day of a made-up shop as invoices, so that the example runs without a file. The same
 * options give the same day; made one by one, so that a long run holds only what a cancellation
 * may still refer to.
 */
import { catalogue } from './catalogue.ts'
import type { Catalogue, Customer } from './catalogue.ts'
import { invoiceKind, totalMills } from './invoice.ts'
import type { Invoice, InvoiceKind, InvoiceLine } from './invoice.ts'
import { random } from './random.ts'
import type { Random } from './random.ts'

export interface TradingDayOptions {
  readonly seed: number
  /** Which day, counted from 0; each has its own date and its own invoice numbers. Default: 0. */
  readonly day?: number
  /** How many orders, from 1 to 5,000; the other kinds come in proportion. Default: 3,000. */
  readonly orders?: number
}

const FIRST_DAY = Date.UTC(2026, 0, 5)
const OPENS_AT_SECOND = 7 * 3600
const OPEN_SECONDS = 13 * 3600
const NUMBERS_PER_DAY = 10_000
/** How many of the latest orders may still be cancelled. */
const CANCELLABLE = 200
/** Of the cancellations, those that fit no earlier order. */
const STRAY_SHARE = 0.15

/** Invoices by ascending time; throws RangeError if an option is out of range. */
export function* tradingDay(options: TradingDayOptions): Generator<Invoice, void, undefined> {
  const { seed, day = 0, orders = 3_000 } = options
  check('orders', orders, { min: 1, max: 5_000 })
  check('day', day, { min: 0, max: 36_500 })
  const shop = new Shop(random(seed, 'day', String(day)), catalogue(seed))
  const plan = shop.plan(orders)
  for (const [index, kind] of plan.entries()) {
    const number = String(100_000 + day * NUMBERS_PER_DAY + index + 1)
    const second = OPENS_AT_SECOND + Math.floor((index * OPEN_SECONDS) / plan.length)
    yield shop.trade(kind, { number, date: dateAt(day, second) })
  }
}

interface Slip {
  readonly number: string
  readonly date: string
}

class Shop {
  readonly #rng: Random
  readonly #goods: Catalogue
  readonly #cancellable: Invoice[] = []

  constructor(rng: Random, goods: Catalogue) {
    this.#rng = rng
    this.#goods = goods
  }

  /** The kinds of the day in shuffled order, an order first, so that there is one to cancel. */
  plan(orders: number): readonly InvoiceKind[] {
    const rest: InvoiceKind[] = [
      ...times<InvoiceKind>(orders - 1, 'order'),
      ...times<InvoiceKind>(Math.ceil(orders / 10), 'cancellation'),
      ...times<InvoiceKind>(Math.ceil(orders / 150), 'stockAdjustment'),
      ...times<InvoiceKind>(Math.ceil(orders / 250), 'zeroPrice'),
      'badDebt',
    ]
    for (let last = rest.length - 1; last > 0; last -= 1) {
      const other = this.#rng.int(0, last)
      ;[rest[last], rest[other]] = [rest[other] as InvoiceKind, rest[last] as InvoiceKind]
    }
    return ['order', ...rest]
  }

  trade(kind: InvoiceKind, slip: Slip): Invoice {
    switch (kind) {
      case 'order':
        return this.#order(slip)
      case 'cancellation':
        return this.#cancellation(slip)
      case 'badDebt':
        return this.#badDebt(slip)
      case 'stockAdjustment':
        return this.#writeOff(slip)
      case 'zeroPrice':
        return this.#sample(slip)
    }
  }

  #order({ number, date }: Slip): Invoice {
    const customer = this.#rng.pick(this.#goods.customers)
    const count = 1 + Math.floor(24 * this.#rng.next() ** 2)
    const lines = Array.from({ length: count }, () => this.#line())
    const order = invoice({ number, date }, customer, lines)
    if (order.customerId !== undefined) this.#cancellable.push(order)
    if (this.#cancellable.length > CANCELLABLE) this.#cancellable.shift()
    return order
  }

  /** Sends back some lines of an earlier order, in part or whole, each order once at most. */
  #cancellation({ number, date }: Slip): Invoice {
    const slip = { number: `C${number}`, date }
    const stray = this.#cancellable.length === 0 || this.#rng.next() < STRAY_SHARE
    if (stray) {
      return invoice(slip, this.#rng.pick(this.#goods.customers), [returned(this.#line())])
    }
    const [order] = this.#cancellable.splice(this.#rng.int(0, this.#cancellable.length - 1), 1)
    if (order === undefined) throw new RangeError('no order is left to cancel')
    const all = this.#rng.next() < 0.4
    const from = all ? 0 : this.#rng.int(0, order.lines.length - 1)
    const lines = order.lines.slice(from, all ? undefined : from + this.#rng.int(1, 3))
    return invoice(
      slip,
      order,
      lines.map((line) => this.#takenBack(line, all)),
    )
  }

  #takenBack(line: InvoiceLine, whole: boolean): InvoiceLine {
    const quantity = whole ? line.quantity : this.#rng.int(1, line.quantity)
    return returned({ ...line, quantity })
  }

  #badDebt({ number, date }: Slip): Invoice {
    const priceMills = -10 * this.#rng.int(10_000, 90_000)
    const line = { stockCode: 'B', description: 'Adjust bad debt', quantity: 1, priceMills }
    return invoice({ number: `A${number}`, date }, { country: 'United Kingdom' }, [line])
  }

  #writeOff(slip: Slip): Invoice {
    const description = this.#rng.pick(['damaged', 'lost', 'check', ''])
    const line = { ...returned(this.#line()), description, priceMills: 0 }
    return invoice(slip, { country: 'United Kingdom' }, [line])
  }

  #sample(slip: Slip): Invoice {
    const description = this.#rng.pick(['found', 'sample', ''])
    const line = { ...this.#line(), description, priceMills: 0 }
    return invoice(slip, { country: 'United Kingdom' }, [line])
  }

  #line(): InvoiceLine {
    const product = this.#rng.pick(this.#goods.products)
    return { ...product, quantity: 1 + Math.floor(24 * this.#rng.next() ** 3) }
  }
}

function invoice(slip: Slip, { customerId, country }: Customer, lines: InvoiceLine[]): Invoice {
  return {
    invoiceNo: slip.number,
    kind: invoiceKind(slip.number, lines),
    date: slip.date,
    ...(customerId === undefined ? {} : { customerId }),
    country,
    totalMills: totalMills(lines),
    lines,
  }
}

function returned(line: InvoiceLine): InvoiceLine {
  return { ...line, quantity: -line.quantity }
}

function dateAt(day: number, second: number): string {
  const millis = FIRST_DAY + (day * 86_400 + second) * 1000
  return new Date(millis).toISOString().slice(0, 19).replace('T', ' ')
}

function times<T>(count: number, value: T): readonly T[] {
  return Array.from({ length: count }, () => value)
}

function check(name: string, value: number, { min, max }: { min: number; max: number }): void {
  if (Number.isInteger(value) && value >= min && value <= max) return
  throw new RangeError(`${name} is ${value}: it must be a whole number from ${min} to ${max}`)
}
