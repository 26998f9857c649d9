/**
 * Feeds invoices to the shop, a chunk at a time: first the orders, side by side; when all that
 * follows from them has happened, the other kinds. So a cancellation finds every earlier order of
 * the file ended, and never depends on how far a saga happens to be. What was sent before changes
 * nothing, so that after a crash the interrupted chunk is simply sent again.
 */
import type { InvoiceKind } from '../data/invoice.ts'
import { AdjustStock, BookUnpriced } from '../inventory/messages.ts'
import { BookBadDebt } from '../ledger/messages.ts'
import { PlaceOrder } from '../orders/messages.ts'
import { BookCancellation } from '../returns/messages.ts'
import type { Shop } from '../shop.ts'
import { slipOf } from '../slip.ts'
import type { Slip } from '../slip.ts'
import { InvoicesTraded, OpenIntake, RecordTraded } from './messages.ts'
import type { Traded } from './messages.ts'
import type { InvoiceSource } from './source.ts'

/** Large enough to share commits, small enough to hold in memory and to stop soon. */
const CHUNK = 256

export interface TradeOptions {
  readonly seed: number
  /** Invoices per chunk; the books do not depend on it. Default: 256. */
  readonly chunkSize?: number
  /** Told after every chunk how many invoices of the source are traded. */
  readonly onTraded?: (invoices: number) => Promise<void> | void
  /** Ends the intake after the chunk in hand. */
  readonly signal?: AbortSignal
}

/**
 * Trades what is left of the source; resolves when all has had all its consequences.
 * @throws REJECTED if the history has another source or seed, or an invoice differs from before;
 * DataError if the source cannot be read.
 */
export async function trade(
  shop: Shop,
  source: InvoiceSource,
  { seed, chunkSize = CHUNK, onTraded, signal }: TradeOptions,
): Promise<void> {
  const { id, name } = source
  const { stream } = await shop.send(OpenIntake({ source: id, name, seed }))
  const before = await tradedBefore(shop, stream)
  if (before.last && source.total < Infinity) return shop.whenIdle()
  let sequence = 0
  let chunk: Sent[] = []
  const flush = async (last: boolean): Promise<void> => {
    await tradeChunk(shop, chunk)
    await shop.send(RecordTraded({ invoices: sequence, last }))
    chunk = []
    await onTraded?.(sequence)
  }
  for await (const invoice of source.invoices()) {
    if (signal?.aborted === true) return
    sequence += 1
    if (sequence <= before.invoices) continue
    chunk.push({ kind: invoice.kind, slip: slipOf(invoice, sequence) })
    if (chunk.length >= chunkSize) await flush(false)
  }
  if (sequence >= before.invoices) await flush(true)
}

/** The last thing that the intake recorded tells how far it is. */
async function tradedBefore(shop: Shop, stream: string): Promise<Traded> {
  for await (const { type, data } of shop.stream(stream, { backwards: true, limit: 1 }))
    if (type === InvoicesTraded.type) return data as Traded
  return { invoices: 0, last: false }
}

interface Sent {
  readonly kind: InvoiceKind
  readonly slip: Slip
}

async function tradeChunk(shop: Shop, chunk: readonly Sent[]): Promise<void> {
  const isOrder = ({ kind }: Sent): boolean => kind === 'order'
  await Promise.all(chunk.filter(isOrder).map((sent) => send(shop, sent)))
  await shop.whenIdle()
  await Promise.all(chunk.filter((sent) => !isOrder(sent)).map((sent) => send(shop, sent)))
  await shop.whenIdle()
}

function send(shop: Shop, { kind, slip }: Sent): Promise<unknown> {
  switch (kind) {
    case 'order':
      return shop.send(PlaceOrder(slip))
    case 'cancellation':
      return shop.send(BookCancellation(slip))
    case 'badDebt':
      return shop.send(BookBadDebt(slip))
    case 'stockAdjustment':
      return shop.send(AdjustStock(slip))
    case 'zeroPrice':
      return shop.send(BookUnpriced(slip))
  }
}
