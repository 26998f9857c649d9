// `npm run simulate -- --seeds 10000 [--from N] [--mutate] [--json] [--workers N]`: many seeded histories of the bank, and
// a table of what struck. With --mutate: each planted bug, until a seed catches it.
import { availableParallelism } from 'node:os'
import { parseArgs } from 'node:util'
import { addTally, emptyTally, tableOf, type Tally } from '../../src/testing/simulate/report.ts'
import { missingMarks } from '../../src/testing/simulate/simulate.ts'
import type { Done, Failure, Job } from './jobs.ts'
import { mutants } from './mutants.ts'
import { doAll } from './pool.ts'
import { hazards, required } from './simulated.ts'

interface Settings {
  readonly seeds: number
  readonly from: number
  readonly workers: number
  readonly json: boolean
}

const print = (text: string): void => void process.stdout.write(`${text}\n`)

/** Progress goes to people, so not among the results. */
const progress = (text: string): void => {
  if (process.stderr.isTTY) process.stderr.write(`\r${text}\u001b[K`)
  else process.stderr.write(`${text}\n`)
}

const perChunk = 25

const chunks = ({ from, seeds }: Settings): Job[] =>
  Array.from({ length: Math.ceil(seeds / perChunk) }, (_, index) => {
    const done = index * perChunk
    return { kind: 'seeds', from: from + done, count: Math.min(perChunk, seeds - done) }
  })

/** Tells about ten times how far it is, or at a terminal always. */
const teller = (total: number, what: string): ((done: number) => void) => {
  let told = 0
  return (done) => {
    if (!process.stderr.isTTY && done - told < total / 10 && done < total) return
    told = done
    progress(`${done} of ${total} ${what}`)
  }
}

const runSeeds = async (settings: Settings): Promise<boolean> => {
  const { seeds, from, workers, json } = settings
  let tally: Tally = emptyTally()
  const failures: Failure[] = []
  const tell = teller(seeds, 'seeds')
  const begun = performance.now()
  await doAll(chunks(settings), workers, (done) => {
    if (done.kind !== 'seeds') return
    tally = addTally(tally, done.tally)
    failures.push(...done.failures)
    tell(tally.seeds)
  })
  const seconds = (performance.now() - begun) / 1000
  if (process.stderr.isTTY) progress('')
  const missing = seeds < 200 ? [] : missingMarks(tally, hazards, required)
  if (json)
    print(
      JSON.stringify({
        seeds,
        from,
        seconds,
        counts: Object.fromEntries(tally.counts),
        seedsWith: Object.fromEntries(tally.seedsWith),
        missing,
        failures,
      }),
    )
  else tellSeeds(tally, { failures, missing, seconds })
  return failures.length === 0 && missing.length === 0
}

const tellSeeds = (
  tally: Tally,
  {
    failures,
    missing,
    seconds,
  }: { failures: readonly Failure[]; missing: readonly string[]; seconds: number },
): void => {
  print(tableOf(tally))
  print(`${(tally.seeds / seconds).toFixed(0)} seeds per second, ${seconds.toFixed(0)} s.`)
  for (const { seed, story } of failures
    .toSorted((one, other) => one.seed - other.seed)
    .slice(0, 3))
    print(`\n${story}\n\nTo see it again: npm run simulate -- --from ${seed} --seeds 1`)
  if (failures.length > 0)
    print(`\n${failures.length} seeds failed: ${failures.map(({ seed }) => seed).join(', ')}.`)
  if (missing.length > 0) print(`\nThese never happened: ${missing.join(', ')}.`)
  if (failures.length === 0 && missing.length === 0)
    print('Nothing was lost, doubled, out of order or stuck.')
}

type Caught = Extract<Done, { kind: 'mutant' }>

const runMutants = async ({ seeds, from, workers, json }: Settings): Promise<boolean> => {
  const jobs = mutants.map(({ name }): Job => ({ kind: 'mutant', name, from, limit: seeds }))
  const results: Caught[] = []
  const tell = teller(jobs.length, 'planted bugs')
  await doAll(jobs, workers, (done) => {
    if (done.kind === 'mutant') results.push(done)
    tell(results.length)
  })
  if (process.stderr.isTTY) progress('')
  const order = mutants.map(({ name }) => name)
  results.sort((one, other) => order.indexOf(one.name) - order.indexOf(other.name))
  const missed = results.filter(({ caught }) => caught === undefined)
  if (json) print(JSON.stringify({ from, limit: seeds, mutants: results }))
  else {
    for (const { name, caught } of results)
      print(
        caught === undefined
          ? `not caught   ${name}`
          : `seed ${String(caught.seed).padStart(6)}  ${name}\n             ${caught.problem.slice(0, 140)}`,
      )
    print(`\n${results.length - missed.length} of ${results.length} planted bugs were caught.`)
  }
  return missed.length === 0
}

const whole = (name: string, text: string): number => {
  const value = Number(text)
  if (Number.isSafeInteger(value) && value > 0) return value
  throw new Error(`--${name} takes a whole number greater than 0, not ${text}.`)
}

const main = async (): Promise<void> => {
  const { values } = parseArgs({
    options: {
      seeds: { type: 'string' },
      from: { type: 'string', default: '1' },
      workers: { type: 'string', default: String(availableParallelism()) },
      mutate: { type: 'boolean', default: false },
      json: { type: 'boolean', default: false },
    },
  })
  const settings = {
    seeds: whole('seeds', values.seeds ?? (values.mutate ? '1000' : '200')),
    from: whole('from', values.from),
    workers: whole('workers', values.workers),
    json: values.json,
  }
  const well = await (values.mutate ? runMutants(settings) : runSeeds(settings))
  if (!well) process.exitCode = 1
}

await main()
