/**
 * The whole Online Retail year through the order system of `examples/orders`, as a process of its own, and a third of
 * it: messages per second, and whether memory grows with the file.
 */
import { spawn } from 'node:child_process'
import { createReadStream, createWriteStream, existsSync, readFileSync } from 'node:fs'
import { performance } from 'node:perf_hooks'
import { createInterface } from 'node:readline'
import { pipeline } from 'node:stream/promises'
import { createGunzip, createGzip } from 'node:zlib'
import type { Case, Figure, Row, Setting } from './bench.ts'
import { check } from './bench.ts'

const root = `${import.meta.dirname}/..`
const usual = `${root}/../shared/data/online-retail.csv.gz`

/** What the whole file must come to; see its README. */
const wholeYear = { rows: 541_909, invoices: 25_900, netMills: 9_747_747_934 }

interface Summary {
  readonly rows: number
  readonly invoices: number
  readonly netMills: number
  readonly open: number
  readonly deadLetters: number
  readonly messages: number
}

const linesOf = (file: string): AsyncIterable<string> =>
  createInterface({ input: createReadStream(file).pipe(createGunzip()), crlfDelay: Infinity })

const invoiceOf = (line: string): string => line.slice(0, line.indexOf(','))

/** The first third of the lines, up to the end of an invoice. */
async function* aThird(file: string): AsyncGenerator<string> {
  let count = 0
  let last = ''
  for await (const line of linesOf(file)) {
    if (count > wholeYear.rows / 3 && invoiceOf(line) !== last) return
    last = invoiceOf(line)
    count += 1
    yield `${line}\n`
  }
}

const cut = async (file: string, { shared }: Setting): Promise<string> => {
  const path = `${shared}/a-third.csv.gz`
  if (!existsSync(path)) await pipeline(aThird(file), createGzip(), createWriteStream(path))
  return path
}

/** Runs the example on a file; gives its last line and the memory that it took. */
const trade = async (
  file: string,
  directory: string,
): Promise<{ summary: Summary; peakMiB: number }> => {
  const peak = `${directory}/peak.json`
  const words = ['--conditions=thence-source', `--import=${import.meta.dirname}/peak.ts`]
  const options = ['--orders', file, '--once', '--json', '--db', `${directory}/orders.db`]
  const child = spawn(process.execPath, [...words, 'examples/orders/main.ts', ...options], {
    cwd: root,
    env: { ...process.env, NODE_ENV: 'production', THENCE_BENCH_PEAK: peak },
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  let last = ''
  const exited = new Promise<number | null>((resolve) => child.on('close', resolve))
  for await (const line of createInterface({ input: child.stdout })) last = line
  check('exit code of the example', await exited, 0)
  const { peakMiB } = JSON.parse(readFileSync(peak, 'utf8')) as { peakMiB: number }
  return { summary: JSON.parse(last) as Summary, peakMiB }
}

const figureOf = async (file: string, directory: string): Promise<[Summary, Figure]> => {
  const start = performance.now()
  const { summary, peakMiB } = await trade(file, directory)
  const seconds = (performance.now() - start) / 1000
  check('orders left open', summary.open, 0)
  check('dead letters', summary.deadLetters, 0)
  const { messages, rows } = summary
  return [summary, { value: messages / seconds, beside: { seconds, messages, rows, peakMiB } }]
}

const year = (file: string): Case => ({
  name: 'the whole file',
  side: 'ours',
  async run({ directory }) {
    const [summary, figure] = await figureOf(file, directory)
    if (file !== usual) return figure
    check('rows', summary.rows, wholeYear.rows)
    check('invoices', summary.invoices, wholeYear.invoices)
    check('net value', summary.netMills, wholeYear.netMills)
    return figure
  },
})

const third = (file: string): Case => ({
  name: 'its first third',
  side: 'ours',
  async run(setting) {
    const [, figure] = await figureOf(await cut(file, setting), setting.directory)
    return figure
  },
})

/** The row, if there is a file for it. */
export function ordersRow(given: string | undefined): readonly Row[] {
  const file = given ?? usual
  if (given === undefined && !existsSync(file)) return []
  return [
    {
      name: 'orders',
      title: 'the Online Retail year through the order system (examples/orders), to its last saga',
      unit: 'messages/s',
      durability: 'WAL, synchronous=FULL; start of the process and final summary included',
      cases: [year(file), third(file)],
      targets: [{ against: 'its first third', beside: 'peakMiB', atMost: 1.25 }],
      rounds: 2,
    },
  ]
}
