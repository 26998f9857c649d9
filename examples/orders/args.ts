/**
 * The example's command line. What it cannot make sense of is refused with a sentence that says
 * why and what to write instead; nothing is ignored.
 */
import { parseArgs } from 'node:util'

export interface Args {
  /** A CSV file of invoices, gzipped or not; without it a day is generated. */
  readonly orders?: string
  /** Where to keep the history; absent with `memory`, or when the caller is to choose. */
  readonly db?: string
  /** The URL of the PostgreSQL database that keeps it instead. */
  readonly store?: string
  readonly seed: number
  /** End when all is done. Always the opposite of `live`. */
  readonly once: boolean
  readonly json: boolean
  readonly live: boolean
  readonly memory: boolean
  readonly help: boolean
}

export const DEFAULT_SEED = 1

export const USAGE: string = `An online shop: orders, payments, stock, shipping and a ledger.
Payment, stock and shipping answers are simulated from the seed.

Usage: npm start -- [options]

  --orders FILE  trade the invoices of FILE (CSV, gzipped or not); else a generated day
  --once         end when every order has ended and all views are caught up (the default)
  --live         keep trading generated orders until Ctrl-C
  --db FILE      keep the history in FILE and go on from what is there
  --store URL    keep it in PostgreSQL: postgres://user@host/database?schema=orders
  --memory       keep the history in memory only
  --seed N       a whole number from 0 to 4294967295; same seed, same history (default ${DEFAULT_SEED})
  --json         print the summary as one JSON object on the last line
  --help         print this

Exit codes: 0 all balanced, 1 the books do not balance or a file is bad, 2 wrong usage.
`

/** The command line makes no sense; `message` says what to write instead. */
export class UsageError extends Error {
  override readonly name = 'UsageError'
  readonly exitCode = 2
}

/** Reads the words after the program's name; throws UsageError. */
export function parseCommandLine(words: readonly string[]): Args {
  const values = parse(words)
  const { orders, db, store, seed, live, memory, json, help } = values
  refuseNonsense(values)
  return {
    ...(orders === undefined ? {} : { orders }),
    ...(db === undefined ? {} : { db }),
    ...(store === undefined ? {} : { store }),
    seed: parseSeed(seed),
    once: !live,
    json,
    live,
    memory,
    help,
  }
}

interface Values {
  readonly orders?: string | undefined
  readonly db?: string | undefined
  readonly store?: string | undefined
  readonly seed: string
  readonly once: boolean
  readonly json: boolean
  readonly live: boolean
  readonly memory: boolean
  readonly help: boolean
}

function parse(words: readonly string[]): Values {
  try {
    return parseArgs({
      args: [...words],
      options: {
        orders: { type: 'string' },
        db: { type: 'string' },
        store: { type: 'string' },
        seed: { type: 'string', default: String(DEFAULT_SEED) },
        once: { type: 'boolean', default: false },
        json: { type: 'boolean', default: false },
        live: { type: 'boolean', default: false },
        memory: { type: 'boolean', default: false },
        help: { type: 'boolean', short: 'h', default: false },
      },
    }).values
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message.split('. ')[0] : String(cause)
    throw new UsageError(`${reason}. Try --help.`, { cause })
  }
}

function parseSeed(text: string): number {
  const seed = Number(text)
  if (/^\d{1,10}$/.test(text) && seed < 2 ** 32) return seed
  throw new UsageError(`--seed is "${text}": give a whole number from 0 to ${2 ** 32 - 1}.`)
}

const isUrl = (text: string): boolean => /^postgres(ql)?:\/\//.test(text) && URL.canParse(text)

function refuseNonsense({ orders, db, store, once, live, memory }: Values): void {
  refuseEmpty('--orders', orders)
  refuseEmpty('--db', db)
  if (store !== undefined && !isUrl(store))
    throw new UsageError('--store takes a URL: postgres://user@host:5432/database?schema=orders.')
  if (once && live) throw clash('--once', '--live', 'give one of them')
  if (live && orders !== undefined)
    throw clash('--live', '--orders', 'a file comes to an end, so leave one out')
  const places = [
    ...(memory ? ['--memory'] : []),
    ...(db === undefined ? [] : ['--db']),
    ...(store === undefined ? [] : ['--store']),
  ]
  const [first, second] = places
  if (first !== undefined && second !== undefined) throw clash(first, second, 'give one of them')
}

function clash(first: string, second: string, advice: string): UsageError {
  return new UsageError(`${first} and ${second} do not go together: ${advice}.`)
}

function refuseEmpty(option: string, value: string | undefined): void {
  if (value === '') throw new UsageError(`${option} is empty: give it the name of a file.`)
}
