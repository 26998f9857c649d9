/**
 * `thence torture`: puts a store through histories that have lost events elsewhere. Thence's own, in schemas that it makes and drops, or
 * any store that a module makes.
 */
import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { Command } from 'commander'
import { Option } from 'commander'
import type { TortureMake, TortureOptions, TortureResult } from 'thence/conformance'
import { resultLines, summaryLine, torture, tortureTraps } from 'thence/conformance'
import type { Order } from 'thence/postgres'
import { usage } from './exit-code.ts'
import { loadPostgres } from './open.ts'
import { chosenPlace } from './place.ts'
import type { GlobalOptions } from './session.ts'
import { whole } from './session.ts'
import type { Style } from './terminal.ts'
import { Terminal } from './terminal.ts'
import { lines } from './text.ts'
import { postgresTorture } from './torture-postgres.ts'

type Options = GlobalOptions &
  Pick<
    TortureOptions,
    'seed' | 'seeds' | 'steps' | 'writers' | 'subscribers' | 'appends' | 'only'
  > & {
    readonly list?: boolean
    readonly order: Order
  }

/** What a module exports to be tortured. */
interface Made {
  readonly torture?: unknown
}

const isMake = (value: unknown): value is TortureMake => typeof value === 'function'

const madeBy = async (file: string): Promise<TortureMake> => {
  const { torture: make } = (await import(pathToFileURL(resolve(file)).href)) as Made
  if (isMake(make)) return make
  throw usage(`${file} exports no function named torture, which makes a fresh store.`)
}

const storeOf = async (file: string | undefined, options: Options): Promise<TortureMake> => {
  if (file !== undefined) return madeBy(file)
  const place = chosenPlace(options)
  if (place.kind === 'server')
    return postgresTorture(await loadPostgres(), place.url, options.order)
  throw usage(
    'Give the server by --store postgres://user@host/database, or a module that makes a store.',
  )
}

const styles: Readonly<Record<TortureResult['outcome'], Style>> = {
  held: 'green',
  stalled: 'yellow',
  broken: 'red',
  'not driven': 'dim',
}

/** A run of nothing would be told as one in which everything held. */
const noneNamed = (only = '') =>
  usage(
    `No trap and none of the interleavings has "${only}" in its name. The traps are:\n${tortureTraps.join('\n')}`,
  )

async function run(file: string | undefined, options: Options): Promise<void> {
  const terminal = new Terminal(options)
  if (options.list === true)
    return terminal.json
      ? terminal.document({ traps: tortureTraps })
      : terminal.print(...tortureTraps)
  const report = await torture(await storeOf(file, options), {
    ...options,
    told(result) {
      if (terminal.json) return
      const [first = '', ...rest] = resultLines(result).map(lines)
      terminal.print(terminal.paint(styles[result.outcome], first), ...rest)
    },
  })
  if (report.results.length === 0) throw noneNamed(options.only)
  if (terminal.json) terminal.document(report)
  else terminal.print(summaryLine(report))
  if (!report.held) process.exitCode = 1
}

const needs = `
On a server:
  It takes up to two connections for each writer and subscriber, and three more: 163 by default, which max_connections
  must leave. For a small server: --writers 8 --subscribers 4 --appends 10 --seeds 5
  Traps with prepared transactions are not driven if max_prepared_transactions of the server is 0, its default.`

export function addTorture(program: Command): void {
  program
    .command('torture')
    .argument('[module]', 'a module that exports `torture`, which makes a fresh store of your own')
    .description('put a store through histories that have lost events elsewhere')
    .option('--only <text>', 'only traps with this in their name')
    .option('--list', 'only print the names of the traps')
    .addOption(
      new Option('--order <order>', 'of the stores that are made on the server')
        .choices(['sequenced', 'concurrent'])
        .default('sequenced'),
    )
    .option('--seed <number>', 'first seed of the random interleavings', whole(0))
    .option('--seeds <count>', 'how many interleavings (default: 20)', whole(0))
    .option('--steps <count>', 'steps of each (default: 40)', whole(1))
    .option('--writers <count>', 'who write at once (default: 64)', whole(1))
    .option('--subscribers <count>', 'who read meanwhile (default: 16)', whole(0))
    .option('--appends <count>', 'appends of each writer (default: 20)', whole(1))
    .addHelpText('after', needs)
    .action(function (this: Command, file: string | undefined): Promise<void> {
      return run(file, this.optsWithGlobals<Options>())
    })
}
