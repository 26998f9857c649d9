/**
 * The books as a plain loop over the invoices gives them, with no event, store, saga or projection
 * between: what a run is held against. It shares with the shop only the world's answers.
 */
import type { Invoice } from '../data/invoice.ts'
import { lineMills } from '../data/invoice.ts'
import { totals } from '../data/totals.ts'
import type { InvoiceSource } from '../intake/source.ts'
import { simulation } from '../simulation.ts'
import type { Simulation } from '../simulation.ts'

interface Bought {
  readonly key: string
  left: number
}

export interface ExpectedBooks {
  shipped: number
  declined: number
  outOfStock: number
  shippingFailed: number
  chargedMills: number
  refundedMills: number
  shippedMills: number
  returnedMills: number
  creditedMills: number
  cancellationsMatched: number
  cancellationsPartlyMatched: number
  cancellationsUnmatched: number
}

/** Takes the invoices in file order. */
export class Oracle {
  readonly books: ExpectedBooks = {
    shipped: 0,
    declined: 0,
    outOfStock: 0,
    shippingFailed: 0,
    chargedMills: 0,
    refundedMills: 0,
    shippedMills: 0,
    returnedMills: 0,
    creditedMills: 0,
    cancellationsMatched: 0,
    cancellationsPartlyMatched: 0,
    cancellationsUnmatched: 0,
  }
  readonly #world: Simulation
  /** Shipped lines by customer, oldest first. */
  readonly #bought = new Map<string, Bought[]>()

  constructor(world: Simulation) {
    this.#world = world
  }

  take(invoice: Invoice): void {
    if (invoice.kind === 'order') this.#order(invoice)
    if (invoice.kind === 'cancellation') this.#cancellation(invoice)
  }

  #order({ invoiceNo, totalMills, lines, customerId }: Invoice): void {
    const { books } = this
    if (this.#world.declines(invoiceNo)) {
      books.declined += 1
      return
    }
    books.chargedMills += totalMills
    const codes = [...new Set(lines.map(({ stockCode }) => stockCode))]
    if (this.#world.shortOf(invoiceNo, codes) !== undefined) books.outOfStock += 1
    else if (this.#world.losesShipment(invoiceNo)) books.shippingFailed += 1
    else {
      books.shipped += 1
      books.shippedMills += totalMills
      if (customerId === undefined) return
      const bought = this.#bought.get(customerId) ?? []
      for (const { stockCode, priceMills, quantity } of lines)
        bought.push({ key: JSON.stringify([stockCode, priceMills]), left: quantity })
      this.#bought.set(customerId, bought)
      return
    }
    books.refundedMills += totalMills
  }

  #cancellation({ customerId, lines }: Invoice): void {
    const { books } = this
    let found = 0
    let missing = 0
    for (const line of lines) {
      const key = JSON.stringify([line.stockCode, line.priceMills])
      let open = -line.quantity
      for (const one of (this.#bought.get(customerId ?? '') ?? []).toReversed()) {
        if (one.key !== key) continue
        const pieces = Math.min(open, one.left)
        one.left -= pieces
        open -= pieces
        found += pieces
        books.returnedMills += pieces * line.priceMills
      }
      missing += open
      books.creditedMills += lineMills({ ...line, quantity: open })
    }
    if (found === 0) books.cancellationsUnmatched += 1
    else if (missing === 0) books.cancellationsMatched += 1
    else books.cancellationsPartlyMatched += 1
  }
}

/** All that the oracle can say of a source, by the names of the summary. */
export async function expectedBooks(source: InvoiceSource, seed: number) {
  const oracle = new Oracle(simulation(seed))
  const watched = async function* () {
    for await (const invoice of source.invoices()) {
      oracle.take(invoice)
      yield invoice
    }
  }
  return { ...(await totals(watched())), ...oracle.books, open: 0, deadLetters: 0 }
}
