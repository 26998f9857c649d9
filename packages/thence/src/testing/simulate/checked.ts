/**
 * The options of a simulation as they must be. A simulation that runs no seed, or a hazard that is misspelt, would pass and
 * prove nothing.
 */
import { ThenceError } from '../../errors.ts'
import {
  expectCount,
  expectFunction,
  expectList,
  expectObject,
  expectOneOf,
  expectOptions,
  type OptionNames,
  shown,
} from '../../message/expect.ts'
import { hazardNames } from './hazards.ts'
import type { SimulatedOptions } from './process.ts'
import { realCalls } from './real.ts'

/** Which seeds are run. */
export interface Seeds {
  readonly from: number
  readonly count: number
}

const invalid = (text: string): ThenceError => new ThenceError('CONFIG_INVALID', text)

const isSeed = (value: unknown): boolean => Number.isSafeInteger(value) && Number(value) >= 0

/** @throws CONFIG_INVALID */
export function checkedSeeds(seeds: number | Seeds): Seeds {
  const { from, count } =
    typeof seeds === 'object' && seeds !== null ? seeds : { from: 1, count: seeds }
  if (typeof count === 'number' && isSeed(from) && isSeed(count) && count >= 1)
    return { from, count }
  const given =
    typeof seeds === 'object' && seeds !== null
      ? `{ from: ${shown(from)}, count: ${shown(count)} }`
      : shown(seeds)
  throw invalid(
    `seeds of the simulation is ${given}, which runs none; give how many, a whole number of at least 1, or ` +
      'which: { from: 7, count: 1 }.',
  )
}

const checkHazards = (hazards: Readonly<Record<string, unknown>>): void => {
  expectObject('hazards of the simulation', hazards)
  for (const [name, often] of Object.entries(hazards)) {
    expectOneOf('A hazard of the simulation', name, hazardNames)
    if (often !== undefined && !(typeof often === 'number' && often >= 0 && often < Infinity))
      throw invalid(
        `hazards.${name} of the simulation is ${shown(often)}; give a number: 0 for never, 1 for as often as is usual.`,
      )
  }
}

const checkInvariants = (invariants: Readonly<Record<string, unknown>>): void => {
  expectObject('invariants of the simulation', invariants)
  for (const [name, holds] of Object.entries(invariants))
    expectFunction(`The invariant ${JSON.stringify(name)} of the simulation`, holds)
}

const checkRequires = (requires: readonly unknown[]): void => {
  expectList('requires of the simulation', requires)
  for (const name of requires)
    if (typeof name !== 'string')
      throw invalid(
        `requires of the simulation holds ${shown(name)}; it names what sometimes() must have been told.`,
      )
}

const appNames: OptionNames<SimulatedOptions> = {
  leaseTime: true,
  retention: true,
  classify: true,
  freeze: true,
}

/** What is checked of them, whatever it is. */
interface Options {
  readonly workload: unknown
  readonly invariants?: Readonly<Record<string, unknown>>
  readonly processes?: unknown
  readonly clients?: unknown
  readonly hazards?: Readonly<Record<string, unknown>>
  readonly requires?: readonly unknown[]
  readonly allows?: readonly unknown[]
  readonly app?: unknown
}

/** Checks all but the seeds and the durations; `names` are the options that there are. @throws CONFIG_INVALID */
export function checkScenario(
  build: unknown,
  options: Options,
  names: Readonly<Record<string, true>>,
): void {
  expectFunction('What builds the app of the simulation', build)
  expectOptions('simulate', options, names)
  const { workload, invariants = {}, hazards = {}, requires = [], allows = [] } = options
  expectFunction('workload of the simulation', workload)
  checkInvariants(invariants)
  checkHazards(hazards)
  checkRequires(requires)
  expectCount('processes of the simulation', options.processes ?? 1)
  expectCount('clients of the simulation', options.clients ?? 1)
  expectOptions('app of the simulation', options.app ?? {}, appNames)
  expectList('allows of the simulation', allows)
  for (const call of allows) expectOneOf('A call that the simulation allows', call, realCalls)
}
