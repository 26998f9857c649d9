/** One run of the shop from opening to closing: history, intake, progress, summary, exit code. */
import { setTimeout as pause } from 'node:timers/promises'
import type { Args } from './args.ts'
import { fileSource, generatedSource } from './intake/source.ts'
import type { InvoiceSource } from './intake/source.ts'
import { trade } from './intake/trade.ts'
import { next } from './next.ts'
import { placeOf } from './place.ts'
import { count, megabytes, progress } from './progress.ts'
import { jsonReport, textReport } from './report.ts'
import type { Shop } from './shop.ts'
import { openShop } from './shop.ts'
import { simulation } from './simulation.ts'
import { books, imbalances } from './summary.ts'

/** Live trade: so many invoices, then a pause of so many milliseconds. */
const LIVE = { chunkSize: 4, pause: 400 }
const REDRAW_MILLIS = 100

/** Returns the exit code. @throws UsageError, DataError, ThenceError */
export async function run(args: Args): Promise<number> {
  const startedAt = performance.now()
  const { seed, json, live } = args
  const source = await sourceOf(args)
  const place = placeOf(args)
  const shop = await openShop({ database: place.database, world: simulation(seed) })
  try {
    const before = await shop.database.read(({ events }) => events.head())
    if (live) await tradeLive(shop, source, seed)
    else await tradeOnce(shop, source, seed)
    const found = await books(shop)
    const figures = {
      source: source.name,
      seed,
      database: place.name,
      seconds: (performance.now() - startedAt) / 1000,
      messagesNow: found.messages - before,
      peakBytes: process.resourceUsage().maxRSS * 1024,
    }
    const wrong = imbalances(found)
    for (const line of wrong) process.stderr.write(`The books do not balance: ${line}\n`)
    process.stdout.write(`${textReport(found, figures)}\n`)
    if (place.name !== null) process.stdout.write(`\n${await next(shop, found, place)}\n`)
    if (json) process.stdout.write(`${JSON.stringify(jsonReport(found, figures))}\n`)
    return wrong.length === 0 ? 0 : 1
  } finally {
    await shop.stop()
  }
}

async function sourceOf({ orders, seed, live }: Args): Promise<InvoiceSource> {
  if (orders !== undefined) return fileSource(orders)
  return generatedSource(seed, { days: live ? Infinity : 1 })
}

async function tradeOnce(shop: Shop, source: InvoiceSource, seed: number): Promise<void> {
  const { total, unit } = source
  let note = ''
  const bar = progress({
    label: 'trading',
    total,
    format: unit === 'bytes' ? megabytes : (invoices) => `${count(invoices)} invoices`,
  })
  // Beside the work, so that it also moves while sagas are waited for.
  const redraw = setInterval(() => bar.update(source.done(), note), REDRAW_MILLIS)
  try {
    await trade(shop, source, {
      seed,
      onTraded: (invoices) => {
        note = `${count(invoices)} invoices traded`
        bar.update(source.done(), note)
      },
    })
    bar.update(total, note)
  } finally {
    clearInterval(redraw)
    bar.stop()
  }
}

async function tradeLive(shop: Shop, source: InvoiceSource, seed: number): Promise<void> {
  const closing = new AbortController()
  const close = (): void => closing.abort()
  const { signal } = closing
  process.once('SIGINT', close).once('SIGTERM', close)
  process.stderr.write('Trading live; Ctrl-C closes the shop.\n')
  try {
    await trade(shop, source, {
      seed,
      chunkSize: LIVE.chunkSize,
      signal,
      async onTraded(invoices) {
        process.stderr.write(`${count(invoices)} invoices traded\n`)
        await pause(LIVE.pause, undefined, { signal }).catch(() => undefined)
      },
    })
  } finally {
    process.off('SIGINT', close).off('SIGTERM', close)
  }
}
