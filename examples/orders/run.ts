/** One run of the shop from opening to closing: history, intake, progress, summary, exit code. */
import { rmSync } from 'node:fs'
import { relative } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { setTimeout as pause } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { memory } from 'thence/memory'
import { sqlite } from 'thence/sqlite'
import type { Database } from 'thence'
import type { Args } from './args.ts'
import { UsageError } from './args.ts'
import { fileSource, generatedSource } from './intake/source.ts'
import type { InvoiceSource } from './intake/source.ts'
import { trade } from './intake/trade.ts'
import { next } from './next.ts'
import { count, megabytes, progress } from './progress.ts'
import { jsonReport, textReport } from './report.ts'
import type { Shop } from './shop.ts'
import { openShop } from './shop.ts'
import { simulation } from './simulation.ts'
import { books, imbalances } from './summary.ts'

/** Where the history goes if nobody says; made anew by every start. */
const FRESH = fileURLToPath(new URL('orders.db', import.meta.url))
/** Live trade: so many invoices, then a pause of so many milliseconds. */
const LIVE = { chunkSize: 4, pause: 400 }
const REDRAW_MILLIS = 100

/** Returns the exit code. @throws UsageError, DataError, ThenceError */
export async function run(args: Args): Promise<number> {
  const startedAt = performance.now()
  const { seed, json, live } = args
  const source = await sourceOf(args)
  const path = pathOf(args)
  const shop = await openShop({ database: databaseAt(path), world: simulation(seed) })
  try {
    const before = await shop.database.read(({ events }) => events.head())
    if (live) await tradeLive(shop, source, seed)
    else await tradeOnce(shop, source, seed)
    const found = await books(shop)
    const figures = {
      source: source.name,
      seed,
      database: path ?? null,
      seconds: (performance.now() - startedAt) / 1000,
      messagesNow: found.messages - before,
      peakBytes: process.resourceUsage().maxRSS * 1024,
    }
    const wrong = imbalances(found)
    for (const line of wrong) process.stderr.write(`The books do not balance: ${line}\n`)
    process.stdout.write(`${textReport(found, figures)}\n`)
    if (path !== undefined) process.stdout.write(`\n${await next(shop, found, path)}\n`)
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

/** Undefined: in memory. */
function pathOf({ db, memory: inMemory }: Args): string | undefined {
  if (inMemory) return undefined
  if (db !== undefined) return db
  for (const end of ['', '-wal', '-shm']) rmSync(FRESH + end, { force: true })
  return relative(process.cwd(), FRESH)
}

function databaseAt(path: string | undefined): Database {
  if (path === undefined) return memory()
  try {
    return sqlite({ database: new DatabaseSync(path) })
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause)
    throw new UsageError(`--db ${path}: ${reason}. Give a file in a folder that exists.`, { cause })
  }
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
