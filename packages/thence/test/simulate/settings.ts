// What `npm run simulate` is told: its options, and what it says of them.
import { availableParallelism } from 'node:os'
import { parseArgs } from 'node:util'
import type { AppName } from './simulated.ts'

export interface Settings {
  readonly seeds: number
  readonly from: number
  readonly workers: number
  readonly app: AppName | undefined
  readonly mutate: boolean
  readonly json: boolean
}

/** What was asked for cannot be done as it was said. */
export class UsageError extends Error {
  override readonly name = 'UsageError'
}

export const usage = `Usage: npm run simulate -- [options]

Runs seeded simulations of a bank and an office, and tells what struck. Exits with 1 if anything was lost, doubled, out of
order or stuck, or if a hazard never struck; with 2 if it was called wrongly.

  --seeds N    how many seeds; default 200. With --mutate: how many at most for each planted bug; default 1000
  --from N     the first seed; default 1
  --app NAME   only the bank, or only the office; default both
  --workers N  how many processes; default one per core (${availableParallelism()})
  --mutate     plants one bug after the other instead; each must be caught
  --json       results for programs
  --help       this text

To see one seed again, with its story if it fails: npm run simulate -- --from SEED --seeds 1`

const whole = (name: string, text: string): number => {
  const value = Number(text)
  if (Number.isSafeInteger(value) && value > 0) return value
  throw new UsageError(
    `--${name} takes a whole number greater than 0, not ${JSON.stringify(text)}.`,
  )
}

const appNamed = (text: string | undefined): AppName | undefined => {
  if (text === undefined || text === 'bank' || text === 'office') return text
  throw new UsageError(`--app takes bank or office, not ${JSON.stringify(text)}.`)
}

const parse = (args: readonly string[]) => {
  try {
    return parseArgs({
      args: [...args],
      options: {
        seeds: { type: 'string' },
        from: { type: 'string', default: '1' },
        app: { type: 'string' },
        workers: { type: 'string', default: String(availableParallelism()) },
        mutate: { type: 'boolean', default: false },
        json: { type: 'boolean', default: false },
        help: { type: 'boolean', default: false, short: 'h' },
      },
    }).values
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error))
  }
}

/** What the arguments say; `help` if they ask for it. @throws UsageError */
export function settingsOf(args: readonly string[]): Settings | 'help' {
  const { seeds, from, app, workers, mutate, json, help } = parse(args)
  if (help) return 'help'
  return {
    seeds: whole('seeds', seeds ?? (mutate ? '1000' : '200')),
    from: whole('from', from),
    app: appNamed(app),
    workers: whole('workers', workers),
    mutate,
    json,
  }
}
