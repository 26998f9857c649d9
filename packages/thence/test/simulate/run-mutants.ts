// Every planted bug in turn: some seed must catch it.
import type { Done, Job } from './jobs.ts'
import { mutants } from './mutants.ts'
import { doAll } from './pool.ts'
import { Teller } from './progress.ts'
import type { Settings } from './settings.ts'

type Caught = Extract<Done, { kind: 'mutant' }>

const print = (text: string): void => void process.stdout.write(`${text}\n`)

/** Which check saw it: the words before the first colon. */
const checkOf = (problem: string): string => /^(?:Error: )?([^:]*)/u.exec(problem)?.[1] ?? ''

/** A table of what each was caught by, in the order in which they are planted. */
export const mutantTable = (results: readonly Caught[]): string => {
  const rows = results.map(({ name, caught }) =>
    caught === undefined
      ? { seed: 'none', check: 'NOT CAUGHT', name }
      : { seed: String(caught.seed), check: checkOf(caught.problem), name },
  )
  const [seeds, checks] = [
    Math.max(4, ...rows.map(({ seed }) => seed.length)),
    Math.max(6, ...rows.map(({ check }) => check.length)),
  ]
  return [{ seed: 'seed', check: 'check', name: 'planted bug' }, ...rows]
    .map(({ seed, check, name }) => `${seed.padStart(seeds)}  ${check.padEnd(checks)}  ${name}`)
    .join('\n')
}

/** Plants them and tells what came of it; returns whether all were caught. */
export async function runMutants({ seeds, from, workers, json, app }: Settings): Promise<boolean> {
  const wanted = mutants.filter((one) => app === undefined || (one.app ?? 'bank') === app)
  const jobs = wanted.map(({ name }): Job => ({ kind: 'mutant', name, from, limit: seeds }))
  const results: Caught[] = []
  const missed = (): number => results.filter(({ caught }) => caught === undefined).length
  const teller = new Teller()
  await doAll(jobs, workers, (done) => {
    if (done.kind === 'mutant') results.push(done)
    const more = `${missed()} not caught`
    teller.tell({ done: results.length, total: jobs.length, what: 'planted bugs', more })
  })
  teller.end()
  const order = wanted.map(({ name }) => name)
  results.sort((one, other) => order.indexOf(one.name) - order.indexOf(other.name))
  if (json) print(JSON.stringify({ from, limit: seeds, mutants: results }))
  else {
    print(mutantTable(results))
    const caught = results.length - missed()
    print(
      `\n${caught} of ${results.length} planted bugs were caught; at most ${seeds} seeds were tried for each.`,
    )
  }
  return missed() === 0
}
