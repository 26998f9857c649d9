/** What is said about the books. */
import { command, event, plain, query } from 'thence'
import { z } from 'zod'
import type { InvoiceKind } from '../data/invoice.ts'
import type { Slip } from '../slip.ts'
import { slip } from '../slip.ts'

export const BookBadDebt = command('BookBadDebt', slip)
export const BadDebtBooked = event('BadDebtBooked', plain<Slip>())

export interface LedgerEntry {
  readonly invoices: number
  readonly rows: number
  readonly netMills: number
}

export interface Ledger {
  readonly kinds: Readonly<Record<InvoiceKind, LedgerEntry>>
  /** By `YYYY-MM`, ascending. */
  readonly months: Readonly<Record<string, LedgerEntry>>
  /** By country as written, ascending. */
  readonly countries: Readonly<Record<string, LedgerEntry>>
}

export const GetLedger = query('GetLedger', { input: z.object({}), output: plain<Ledger>() })
