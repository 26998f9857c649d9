// The work that `npm run simulate` shares out among processes: seeds of the correct code, and planted bugs to be caught.
import { addVerdict, emptyTally, type Tally } from '../../src/testing/simulate/report.ts'
import { mutants } from './mutants.ts'
import { type AppName, planted, simulated } from './simulated.ts'

export type Job =
  | {
      readonly kind: 'seeds'
      readonly from: number
      readonly count: number
      readonly app: AppName | undefined
    }
  | {
      readonly kind: 'mutant'
      readonly name: string
      readonly from: number
      readonly limit: number
    }

export interface Failure {
  readonly seed: number
  readonly story: string
}

export type Done =
  | { readonly kind: 'seeds'; readonly tally: Tally; readonly failures: readonly Failure[] }
  | {
      readonly kind: 'mutant'
      readonly name: string
      /** The seed that caught it, and how many were needed; absent if none did. */
      readonly caught?: { readonly seed: number; readonly seeds: number; readonly problem: string }
    }

const runSeeds = async ({ from, count, app }: Extract<Job, { kind: 'seeds' }>): Promise<Done> => {
  const { run, story } = simulated(app)
  let tally = emptyTally()
  const failures: Failure[] = []
  for (let seed = from; seed < from + count; seed += 1) {
    const { verdict, repeated } = await run(seed)
    tally = addVerdict(tally, verdict)
    if (repeated) tally = { ...tally, repeated: tally.repeated + 1 }
    if (verdict.problems.length > 0) failures.push({ seed, story: await story(verdict) })
  }
  return { kind: 'seeds', tally, failures }
}

const runMutant = async (job: Extract<Job, { kind: 'mutant' }>): Promise<Done> => {
  const { name, from, limit } = job
  const mutant = mutants.find((one) => one.name === name)
  if (mutant === undefined) throw new Error(`No planted bug is named ${name}.`)
  for (let seed = from; seed < from + limit; seed += 1) {
    const { run } = planted(mutant.app ?? 'bank', mutant.make(), mutant.hazards)
    const { verdict } = await run(seed)
    const problem = verdict.problems[0]
    if (problem === undefined) continue
    const [text = ''] = problem.split('\n', 1)
    return { kind: 'mutant', name, caught: { seed, seeds: seed - from + 1, problem: text } }
  }
  return { kind: 'mutant', name }
}

/** Does one job. */
export const runJob = (job: Job): Promise<Done> =>
  job.kind === 'seeds' ? runSeeds(job) : runMutant(job)
