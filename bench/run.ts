/**
 * `npm run bench`: every row, ours and theirs interleaved, as a table or as JSON. Timing never fails it; a case whose
 * result is wrong does.
 */
import './production.ts'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import type { Row } from './bench.ts'
import { describeMachine, machineText } from './machine.ts'
import { resultsMarkdown } from './markdown.ts'
import type { Plan, RowResult } from './measure.ts'
import { measureRow } from './measure.ts'
import { stopPostgres } from './postgres-server.ts'
import { loadRows, rowNames } from './rows.ts'
import { rowText } from './table.ts'

const help = `Usage: npm run bench -- [options] [NAME…]

  --only NAME[,NAME]  only these rows (append: all that begin with append-):
                      ${rowNames.join(', ')}
  --side SIDE[,SIDE]  only these sides: ours, raw, rival
  --rounds N          rounds of each row; default 5
  --seconds N         measured seconds per case; default 1.5
  --quick             2 rounds, 0.3 s, a tenth of the events: to see that it works
  --json              one JSON object on standard output
  --results FILE      also write them as Markdown
  --profile NAME      only our side of one row, for --seconds (default 10); use with node --cpu-prof
  --orders FILE       the file of the orders row; default: the year, if it is there

Files are made in $THENCE_BENCH_DIR, or beside the bench, and removed at the end.
`

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    only: { type: 'string' },
    side: { type: 'string', default: 'ours,raw,rival' },
    rounds: { type: 'string' },
    seconds: { type: 'string' },
    quick: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
    results: { type: 'string' },
    profile: { type: 'string' },
    orders: { type: 'string' },
    help: { type: 'boolean', short: 'h', default: false },
  },
})

// What a rival prints while it works (failures that it is retried after) must not stand between the results.
console.log = () => undefined
const tell = (text: string): void => void process.stdout.write(`${text}\n`)

const fail = (message: string): never => {
  console.error(message)
  process.exit(2)
}

const positive = (name: string, text: string | undefined, otherwise: number): number => {
  const value = text === undefined ? otherwise : Number(text)
  return value > 0 ? value : fail(`--${name} takes a positive number, not ${text}`)
}

const namesFor = (given: string): readonly string[] => {
  const found = rowNames.filter((name) => name === given || name.startsWith(`${given}-`))
  return found.length > 0 ? found : fail(`There is no row ${given}.\n\n${help}`)
}

const wanted = async (): Promise<readonly Row[]> => {
  const given = [values.profile ?? values.only ?? [], positionals].flat()
  const asked = given.flatMap((text) => text.split(',')).flatMap(namesFor)
  const names = asked.length > 0 ? asked : rowNames
  const sides = values.profile === undefined ? values.side.split(',') : ['ours']
  return (await loadRows(names, values.orders))
    .map((row) => ({ ...row, cases: row.cases.filter(({ side }) => sides.includes(side)) }))
    .filter(({ cases }) => cases.length > 0)
}

const planOf = (place: string): Plan => {
  const profiling = values.profile !== undefined
  const [rounds, seconds] = profiling ? [1, 10] : values.quick ? [2, 0.3] : [5, 1.5]
  return {
    place,
    rounds: positive('rounds', values.rounds, rounds),
    seconds: positive('seconds', values.seconds, seconds),
    scale: values.quick ? 0.1 : 1,
    onCase: (row, name, round) => {
      if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${row.name} ${round + 1}: ${name}`)
    },
  }
}

const main = async (): Promise<void> => {
  const selected = await wanted()
  const base = process.env['THENCE_BENCH_DIR'] ?? import.meta.dirname
  mkdirSync(base, { recursive: true })
  const place = mkdtempSync(`${base}/.files-`)
  process.once('SIGINT', () => {
    rmSync(place, { recursive: true, force: true })
    process.exit(130)
  })
  try {
    const machine = describeMachine(place)
    if (!values.json) tell(machineText(machine))
    const results: RowResult[] = []
    for (const row of selected) {
      const result = await measureRow(row, planOf(place))
      if (process.stderr.isTTY) process.stderr.write('\r\x1b[K')
      if (!values.json) tell(rowText(result))
      results.push(result)
    }
    if (values.results !== undefined)
      writeFileSync(values.results, resultsMarkdown(machine, results))
    if (values.json) tell(JSON.stringify({ machine, rows: results }))
  } finally {
    await stopPostgres()
    rmSync(place, { recursive: true, force: true })
  }
}

if (values.help) tell(help)
else await main()
