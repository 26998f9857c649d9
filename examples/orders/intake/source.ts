/**
 * Where invoices come from: a file, or days made up from the seed. Each gives the same invoices in
 * the same order every time, so that an intake can go on where it was interrupted.
 */
import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { basename } from 'node:path'
import { openRows } from '../data/csv.ts'
import { tradingDay } from '../data/generate.ts'
import { groupInvoices } from '../data/invoice.ts'
import type { Invoice } from '../data/invoice.ts'

export interface InvoiceSource {
  /** Tells the source by its content. */
  readonly id: string
  /** What it is called, for people. */
  readonly name: string
  /** How much there is, in the unit of `done`; Infinity if it never ends. */
  readonly total: number
  readonly unit: 'bytes' | 'invoices'
  /** How much of it was read so far. */
  done(): number
  invoices(): AsyncGenerator<Invoice, void, undefined>
}

/** The invoices of an order file. @throws DataError, at once if it is another kind of file */
export async function fileSource(path: string): Promise<InvoiceSource> {
  const file = await openRows(path)
  // Before anything is opened or traded; reading begins anew below.
  for await (const _ of file.rows()) break
  return {
    id: `sha256:${await digestOf(path)}`,
    name: basename(path),
    total: file.bytesTotal,
    unit: 'bytes',
    done: () => file.bytesRead(),
    invoices: () => groupInvoices(file.rows()),
  }
}

/** Days that are made up, one after the other; `days` may be Infinity. */
export function generatedSource(
  seed: number,
  { days, orders = 3_000 }: { readonly days: number; readonly orders?: number },
): InvoiceSource {
  let done = 0
  return {
    id: `generated:${seed}:${orders}`,
    name: `the generated days of seed ${seed}`,
    total: days === Infinity ? Infinity : days * countOf(seed, orders),
    unit: 'invoices',
    done: () => done,
    async *invoices() {
      done = 0
      for (let day = 0; day < days; day += 1)
        for (const invoice of tradingDay({ seed, day, orders })) {
          done += 1
          yield invoice
        }
    },
  }
}

/** All days have the same number of invoices: it depends on the number of orders alone. */
function countOf(seed: number, orders: number): number {
  return [...tradingDay({ seed, orders })].length
}

async function digestOf(path: string): Promise<string> {
  const digest = createHash('sha256')
  for await (const chunk of createReadStream(path) as AsyncIterable<Buffer>) digest.update(chunk)
  return digest.digest('hex')
}
