/**
 * An invoice as the modules take it in: every kind has this shape, and every kind is booked at most
 * once. It comes from outside, so a schema checks it; what our own decisions record is plain types.
 */
import { reject } from 'thence'
import { z } from 'zod'
import { lineMills } from './data/invoice.ts'
import type { Invoice } from './data/invoice.ts'

const line = z.object({
  stockCode: z.string().min(1),
  description: z.string(),
  quantity: z.int(),
  priceMills: z.int(),
})

export const slip = z.object({
  invoiceNo: z.string().min(1),
  /** Its place in the file, from 1: tells which of two invoices is earlier. */
  sequence: z.int().positive(),
  /** `YYYY-MM-DD HH:MM:SS`, local time of the shop. */
  date: z.string().min(10),
  /** Null for guests. */
  customerId: z.string().min(1).nullable(),
  country: z.string().min(1),
  lines: z.array(line).min(1),
})

export type Slip = z.infer<typeof slip>
export type Line = Slip['lines'][number]

/** The slip of an invoice that stands at place `sequence` of its file. */
export function slipOf(invoice: Invoice, sequence: number): Slip {
  const { invoiceNo, date, customerId = null, country } = invoice
  const lines = invoice.lines.map(({ stockCode, description, quantity, priceMills }) => ({
    stockCode,
    description,
    quantity,
    priceMills,
  }))
  return { invoiceNo, sequence, date, customerId, country, lines }
}

export function slipMills({ lines }: Pick<Slip, 'lines'>): number {
  return lines.reduce((sum, one) => sum + lineMills(one), 0)
}

/**
 * Whether `given` is still to be booked. The same slip again changes nothing, so that an intake may
 * send it as often as it likes; another one under the same number is refused.
 */
export function isNew(booked: Slip | null, given: Slip): boolean {
  if (booked === null) return true
  if (JSON.stringify(booked) === JSON.stringify(given)) return false
  throw reject(
    'INVOICE_DIFFERS',
    `Invoice ${given.invoiceNo} was booked before with other contents. Correct one of them, or use another --db.`,
  )
}
