/**
 * The value of all invoices of all kinds, line by line, three times over: by kind, by month and by
 * country. The three must come to the same sum.
 */
import { documents, projection } from 'thence'
import type { Documents, ReadOnlyView } from 'thence'
import { monthOf } from '../data/invoice.ts'
import type { InvoiceKind } from '../data/invoice.ts'
import { StockAdjusted, UnpricedBooked } from '../inventory/messages.ts'
import { OrderPlaced } from '../orders/messages.ts'
import { CancellationBooked } from '../returns/messages.ts'
import type { Slip } from '../slip.ts'
import { slipMills } from '../slip.ts'
import type { Ledger, LedgerEntry } from './messages.ts'
import { BadDebtBooked, GetLedger } from './messages.ts'

type View = Documents<LedgerEntry>
type Entries = Readonly<Record<string, LedgerEntry>>

const none: LedgerEntry = { invoices: 0, rows: 0, netMills: 0 }

const book = async (view: View, kind: InvoiceKind, slip: Slip): Promise<void> => {
  const mills = slipMills(slip)
  const add = ({ invoices, rows, netMills }: LedgerEntry = none): LedgerEntry => ({
    invoices: invoices + 1,
    rows: rows + slip.lines.length,
    netMills: netMills + mills,
  })
  for (const key of [`kind/${kind}`, `month/${monthOf(slip.date)}`, `country/${slip.country}`])
    await view.update(key, add)
}

const under = async (view: ReadOnlyView<View>, prefix: string): Promise<Entries> => {
  const entries: [string, LedgerEntry][] = []
  for await (const { key, document } of view.list({ prefix }))
    entries.push([key.slice(prefix.length), document])
  return Object.fromEntries(entries)
}

const answer = async (view: ReadOnlyView<View>): Promise<Ledger> => {
  const kinds = await under(view, 'kind/')
  return {
    kinds: {
      order: kinds['order'] ?? none,
      cancellation: kinds['cancellation'] ?? none,
      badDebt: kinds['badDebt'] ?? none,
      stockAdjustment: kinds['stockAdjustment'] ?? none,
      zeroPrice: kinds['zeroPrice'] ?? none,
    },
    months: await under(view, 'month/'),
    countries: await under(view, 'country/'),
  }
}

export const ledger = projection('ledger', {
  view: documents<LedgerEntry>(),
  on: (on) =>
    on(OrderPlaced, ({ data }, view) => book(view, 'order', data))
      .on(CancellationBooked, ({ data }, view) => book(view, 'cancellation', data))
      .on(BadDebtBooked, ({ data }, view) => book(view, 'badDebt', data))
      .on(StockAdjusted, ({ data }, view) => book(view, 'stockAdjustment', data))
      .on(UnpricedBooked, ({ data }, view) => book(view, 'zeroPrice', data)),
  answers: (on) => on(GetLedger, (_, view) => answer(view)),
})
