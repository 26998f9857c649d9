// Many seeds of the correct code: none may fail, and every hazard must have struck.
import { addTally, emptyTally, tableOf, type Tally } from '../../src/testing/simulate/report.ts'
import { missingMarks, strikesOf } from '../../src/testing/simulate/simulate.ts'
import type { Failure, Job } from './jobs.ts'
import { doAll } from './pool.ts'
import { Teller } from './progress.ts'
import type { Settings } from './settings.ts'
import { hazards, required } from './simulated.ts'

const perChunk = 25
/** So many seeds meet everything that is required. */
const enough = 400
const mostStories = 3

interface Outcome {
  readonly tally: Tally
  readonly failures: readonly Failure[]
  readonly missing: readonly string[]
  readonly seconds: number
}

const print = (text: string): void => void process.stdout.write(`${text}\n`)

const chunks = ({ from, seeds, app }: Settings): Job[] =>
  Array.from({ length: Math.ceil(seeds / perChunk) }, (_, index) => {
    const done = index * perChunk
    return { kind: 'seeds', from: from + done, count: Math.min(perChunk, seeds - done), app }
  })

const tellSeeds = ({ tally, failures, missing, seconds }: Outcome): void => {
  print(tableOf(tally))
  print(`${(tally.seeds / seconds).toFixed(0)} seeds per second, ${seconds.toFixed(0)} s.`)
  for (const { seed, story } of failures.slice(0, mostStories))
    print(`\n${story}\n\nTo see it again: npm run simulate -- --from ${seed} --seeds 1`)
  if (failures.length > 0)
    print(`\n${failures.length} seeds failed: ${failures.map(({ seed }) => seed).join(', ')}.`)
  if (missing.length > 0) print(`\nThese never happened: ${missing.join(', ')}.`)
  if (failures.length === 0 && missing.length === 0)
    print('Nothing was lost, doubled, out of order or stuck.')
}

const tellJson = ({ seeds, from }: Settings, outcome: Outcome): void => {
  const { tally, failures, missing, seconds } = outcome
  const counts = Object.fromEntries(tally.counts)
  const seedsWith = Object.fromEntries(tally.seedsWith)
  print(JSON.stringify({ seeds, from, seconds, counts, seedsWith, missing, failures }))
}

/** Runs them and tells what came of it; returns whether all is well. */
export async function runSeeds(settings: Settings): Promise<boolean> {
  const { seeds, workers, json, app } = settings
  let tally: Tally = emptyTally()
  const failures: Failure[] = []
  const teller = new Teller()
  await doAll(chunks(settings), workers, (done) => {
    if (done.kind !== 'seeds') return
    tally = addTally(tally, done.tally)
    failures.push(...done.failures)
    const more = `${strikesOf(tally)} hazards struck, ${failures.length} seeds failed`
    teller.tell({ done: tally.seeds, total: seeds, what: 'seeds', more })
  })
  teller.end()
  failures.sort((one, other) => one.seed - other.seed)
  // What one app does not do cannot happen in it.
  const wanted = app === undefined && seeds >= enough ? required : []
  const missing = missingMarks(tally, hazards, wanted)
  const outcome = { tally, failures, missing, seconds: teller.seconds }
  if (json) tellJson(settings, outcome)
  else tellSeeds(outcome)
  return failures.length === 0 && missing.length === 0
}
