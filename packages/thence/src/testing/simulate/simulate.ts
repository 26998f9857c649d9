/**
 * Runs an app through many seeded histories in which everything goes wrong that can: crashes at every call, lost answers,
 * late requests, pauses, wrong clocks, several processes. What must hold is checked at the end of each.
 */
import type { AppBuilder } from '../../app/builder.ts'
import type { Duration } from '../../internal/duration.ts'
import { milliseconds } from '../../internal/duration.ts'
import type { OptionNames } from '../../message/expect.ts'
import { fail } from '../assertion.ts'
import { checkedSeeds, checkScenario } from './checked.ts'
import type { SimulatedClient } from './client.ts'
import type { Hazard, Hazards } from './hazards.ts'
import { hazardNames, usualHazards } from './hazards.ts'
import type { SimulatedOptions, SimulatedProcess } from './process.ts'
import { addVerdict, emptyTally, failureOf, tableOf, type Tally } from './report.ts'
import type { RealCall } from './real.ts'
import { runSeed } from './run.ts'
import type { Plant, Scenario, SimulationEnd, Verdict } from './scenario.ts'
import { shrink } from './shrink.ts'

export interface SimulateOptions<C extends string, Q extends string> {
  /** What each client does. It draws chance and ids from its client only, and waits by it. */
  readonly workload: (client: SimulatedClient<C, Q>) => Promise<void>
  /** What must hold in the end, by name; each throws if it doesn't. */
  readonly invariants?: Readonly<Record<string, (end: SimulationEnd<C, Q>) => void | Promise<void>>>
  /** How many seeds, from 1; or which. Default 100. */
  readonly seeds?: number | { readonly from: number; readonly count: number }
  /** How many processes run the app; default 3. */
  readonly processes?: number
  /** How many clients work at the same time; default 3. */
  readonly clients?: number
  /** How often each hazard comes, relative to what is usual: 0 for never. Poison is 0 unless you ask for it. */
  readonly hazards?: Partial<Hazards>
  /** Names that `sometimes` must have been told in one seed at least. */
  readonly requires?: readonly string[]
  /** How long hazards strike at most, in virtual time; default 4 s. */
  readonly duration?: Duration
  /** Options of the app: `retention` and the like. Its `leaseTime` is 2 s by default; pauses of processes last up to 9 s. */
  readonly app?: SimulatedOptions
  /**
   * Calls of the real machine's time, timers and chance that do no harm, because nothing that happens depends on them.
   * All others fail the seed.
   */
  readonly allows?: readonly RealCall[]
  /** How long everything may take to come to its end when hazards are over, in virtual time; default 2 min. */
  readonly patience?: Duration
}

const optionNames: OptionNames<SimulateOptions<never, never>> = {
  workload: true,
  invariants: true,
  seeds: true,
  processes: true,
  clients: true,
  hazards: true,
  requires: true,
  duration: true,
  app: true,
  allows: true,
  patience: true,
}

/** What came of all seeds. */
export interface SimulationReport {
  readonly seeds: number
  /** How often each hazard struck and each protection was needed. */
  readonly counts: ReadonlyMap<string, number>
  /** The same as a table for people, and the parts to which nothing came in any seed. */
  readonly text: string
}

/** By what each hazard shows that it struck. */
const signsOf: Readonly<Record<Hazard, readonly string[]>> = {
  crash: ['crash-before', 'crash-after', 'kill'],
  lostRequest: ['lost-request'],
  lostReply: ['lost-reply'],
  lateRequest: ['late-request'],
  lostConnection: ['lost-connection'],
  slowCall: ['slow'],
  pause: ['pause', 'freeze'],
  clock: ['clock-step'],
  restart: ['stop'],
  slowHandler: ['a slow handler'],
  passingError: ['a passing error'],
  viewError: ['a failing view'],
  poison: ['a poisoned message'],
  duplicate: ['duplicate'],
}

/** Handlers and views only fail where there are some. */
const mayBeAbsent = new Set<Hazard>(['slowHandler', 'passingError', 'viewError', 'poison'])

/** So many seeds meet every hazard. */
const enough = 100

/** Every so many seeds are run twice. */
const repeatEvery = 50

/** What should have happened and did not. */
export function missingMarks(
  { seeds, counts }: Tally,
  hazards: Partial<Hazards>,
  requires: readonly string[],
): readonly string[] {
  const struck = (names: readonly string[]): boolean => names.some((name) => counts.has(name))
  const silent =
    seeds < enough
      ? []
      : hazardNames.filter(
          (name) =>
            (hazards[name] ?? usualHazards[name]) > 0 &&
            !mayBeAbsent.has(name) &&
            !struck(signsOf[name]),
        )
  return [...silent, ...requires.filter((name) => !counts.has(name))]
}

/** How many hazards struck in all. */
export const strikesOf = ({ counts }: Tally): number =>
  Object.values(signsOf)
    .flat()
    .reduce((sum, name) => sum + (counts.get(name) ?? 0), 0)

/** A scenario with its defaults. */
export const scenarioOf = <C extends string, Q extends string>(
  build: (builder: AppBuilder, context: SimulatedProcess) => AppBuilder<C, Q>,
  options: SimulateOptions<C, Q> & { readonly plant?: Plant | undefined },
): Scenario<C, Q> => ({
  build,
  workload: options.workload,
  invariants: options.invariants ?? {},
  processes: options.processes ?? 3,
  clients: options.clients ?? 3,
  hazards: options.hazards ?? {},
  duration: milliseconds('duration', options.duration ?? '4s'),
  patience: milliseconds('patience', options.patience ?? '2m'),
  app: { leaseTime: '2s', ...options.app },
  allows: options.allows ?? [],
  plant: options.plant,
})

/** Runs a seed, some of them twice; two runs that differ are a problem of their own. */
export async function runChecked<C extends string, Q extends string>(
  scenario: Scenario<C, Q>,
  seed: number,
): Promise<{ readonly verdict: Verdict; readonly repeated: boolean }> {
  const verdict = await runSeed(scenario, seed)
  if (seed % repeatEvery !== 1 || verdict.problems.length > 0) return { verdict, repeated: false }
  const again = await runSeed(scenario, seed)
  if (again.hash === verdict.hash) return { verdict, repeated: true }
  const problem =
    `not-repeatable: seed ${seed} went another way the second time (${verdict.hash}, then ${again.hash}). Something ` +
    'draws its time, chance or ids elsewhere than from the context, or keeps a state from one run to the next.'
  return { verdict: { ...verdict, problems: [problem] }, repeated: true }
}

/**
 * Simulates an app: `build` puts it together in each process, as for `testApp`.
 * @throws AssertionError with the story of the first seed that fails, or if a hazard never struck; CONFIG_INVALID for options
 * that would prove nothing: no seed, no workload, a hazard or an option that there isn't.
 */
export async function simulate<C extends string, Q extends string>(
  build: (builder: AppBuilder, context: SimulatedProcess) => AppBuilder<C, Q>,
  options: SimulateOptions<C, Q>,
): Promise<SimulationReport> {
  checkScenario(build, options, optionNames)
  const { seeds = 100, hazards = {}, requires = [] } = options
  const { from, count } = checkedSeeds(seeds)
  const scenario = scenarioOf(build, options)
  let tally = emptyTally()
  for (let seed = from; seed < from + count; seed += 1) {
    const { verdict, repeated } = await runChecked(scenario, seed)
    if (repeated && verdict.problems.length > 0) fail(verdict.problems[0] as string)
    if (verdict.problems.length > 0) {
      const story = failureOf(verdict, await shrink(scenario, verdict))
      fail(`${story}\n\nTo see it again: simulate(…, { seeds: { from: ${seed}, count: 1 } })`)
    }
    tally = addVerdict(tally, verdict)
    if (repeated) tally = { ...tally, repeated: tally.repeated + 1 }
  }
  const missing = missingMarks(tally, hazards, requires)
  if (missing.length > 0)
    fail(
      `${count} seeds were run and nothing failed, but these never happened: ${missing.join(', ')}.`,
    )
  return { seeds: tally.seeds, counts: tally.counts, text: tableOf(tally) }
}
