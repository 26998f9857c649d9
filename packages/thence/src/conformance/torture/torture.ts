/**
 * Puts a store through every trap and through random interleavings, each on a fresh store, and reports.
 */
import { commitTraps } from './commits.ts'
import { crowdTraps } from './crowd.ts'
import { interleave, type Step, stepsOf, told } from './interleave.ts'
import type { TortureProblem } from './judge.ts'
import type { TortureReport, TortureResult } from './report.ts'
import { serverTraps } from './server.ts'
import { fewest } from './shrink.ts'
import type { TortureLimits } from './scene.ts'
import { Stage } from './stage.ts'
import type { TortureMake } from './subject.ts'
import {
  type Abilities,
  abilitiesOf,
  NotDriven,
  reasonAgainst,
  type Trap,
  type TortureSizes,
} from './trap.ts'

export interface TortureOptions extends Partial<TortureLimits>, Partial<TortureSizes> {
  /** First seed of the interleavings; default: one by the time. */
  readonly seed?: number
  /** How many seeds; default 20. */
  readonly seeds?: number
  /** Steps of each interleaving; default 40. */
  readonly steps?: number
  /** Only what has this in its name; interleavings are named `interleaving of seed N`. */
  readonly only?: string
  /** Told of each result as it comes. */
  readonly told?: (result: TortureResult) => void
}

/** What happens to every store, in order; interleavings come after it. */
const traps: readonly Trap[] = [...commitTraps, ...serverTraps, ...crowdTraps]

/** The names of all traps. */
export const tortureTraps: readonly string[] = traps.map(({ name }) => name)

type Settings = Required<Omit<TortureOptions, 'told' | 'only'>>

const withDefaults = (options: TortureOptions): Settings => ({
  patience: options.patience ?? 250,
  delivery: options.delivery ?? 3000,
  hang: options.hang ?? 30_000,
  longest: options.longest ?? 300_000,
  writers: options.writers ?? 64,
  subscribers: options.subscribers ?? 16,
  appends: options.appends ?? 20,
  seed: options.seed ?? Date.now() % 1_000_000,
  seeds: options.seeds ?? 20,
  steps: options.steps ?? 40,
})

class Torture {
  readonly #make: TortureMake
  readonly #settings: Settings
  readonly #abilities: Abilities

  constructor(make: TortureMake, settings: Settings, abilities: Abilities) {
    this.#make = make
    this.#settings = settings
    this.#abilities = abilities
  }

  async trap(trap: Trap): Promise<TortureResult> {
    const begun = performance.now()
    const { name } = trap
    const against = reasonAgainst(trap, this.#abilities)
    if (against !== undefined)
      return { name, outcome: 'not driven', problems: [], why: against, took: 0 }
    try {
      const problems = await this.#play((stage) => trap.play(stage, this.#settings))
      return { ...this.#result(name, problems), took: performance.now() - begun }
    } catch (error) {
      if (!(error instanceof NotDriven)) throw error
      const took = performance.now() - begun
      return { name, outcome: 'not driven', problems: [], why: error.message, took }
    }
  }

  async interleaving(seed: number): Promise<TortureResult> {
    const begun = performance.now()
    const steps = stepsOf(seed, this.#settings.steps)
    const problems = await this.#steps(steps)
    const result = this.#result(`interleaving of seed ${seed}`, problems)
    if (problems.length === 0) return { ...result, took: performance.now() - begun }
    const least = await fewest(steps, async (some) => (await this.#steps(some)).length > 0)
    const took = performance.now() - begun
    return { ...result, seed, steps: least.map(told), took }
  }

  #steps(steps: readonly Step[]): Promise<readonly TortureProblem[]> {
    return this.#play((stage) => interleave(stage, steps, this.#abilities))
  }

  #result(name: string, problems: readonly TortureProblem[]): Omit<TortureResult, 'took'> {
    const stalled = problems.every(({ kind }) => kind === 'stalled')
    const outcome = problems.length === 0 ? 'held' : stalled ? 'stalled' : 'broken'
    return { name, outcome, problems }
  }

  async #play(work: (stage: Stage) => Promise<void>): Promise<readonly TortureProblem[]> {
    const { hang, longest } = this.#settings
    const subject = await this.#make()
    try {
      const stage = await Stage.of(subject, this.#settings)
      try {
        const problems = await within(
          longest,
          work(stage).then(() => stage.judge()),
        )
        return problems ?? [...stage.problems, givenUp(longest)]
      } finally {
        // What hangs may hold what these wait for.
        await within(hang, stage.close())
      }
    } finally {
      await within(hang, Promise.resolve(subject.dispose()))
    }
  }
}

const givenUp = (milliseconds: number): TortureProblem => ({
  kind: 'hung',
  text: `it had not come to its end after ${milliseconds} ms`,
})

/** Undefined if it takes longer; whatever comes of it later is not looked at. */
async function within<T>(milliseconds: number, work: Promise<T>): Promise<T | undefined> {
  const late = Promise.withResolvers<undefined>()
  const timer = setTimeout(() => late.resolve(undefined), milliseconds)
  try {
    return await Promise.race([work, late.promise])
  } finally {
    clearTimeout(timer)
  }
}

const abilitiesFrom = async (make: TortureMake): Promise<Abilities> => {
  const probe = await make()
  try {
    return await abilitiesOf(probe)
  } finally {
    await probe.dispose()
  }
}

/**
 * Puts a store through all traps and interleavings, one after the other. It reports what is wrong; it throws only if a fresh store
 * cannot be made or a trap cannot be played for reasons of its own.
 */
export async function torture(
  make: TortureMake,
  options: TortureOptions = {},
): Promise<TortureReport> {
  const settings = withDefaults(options)
  const one = new Torture(make, settings, await abilitiesFrom(make))
  const { only = '', told: tell } = options
  const results: TortureResult[] = []
  const add = (result: TortureResult): void => {
    results.push(result)
    tell?.(result)
  }
  for (const trap of traps) if (trap.name.includes(only)) add(await one.trap(trap))
  for (let index = 0; index < settings.seeds; index += 1) {
    const seed = settings.seed + index
    if (`interleaving of seed ${seed}`.includes(only)) add(await one.interleaving(seed))
  }
  const isFine = ({ outcome }: TortureResult) => outcome === 'held' || outcome === 'not driven'
  const held = results.length > 0 && results.every(isFine)
  return { results, held, seed: settings.seed }
}
