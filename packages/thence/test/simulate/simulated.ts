// What `npm run simulate` and the tests simulate: the bank and the office, with a bug planted into them or without. Which of
// them a seed is about follows from the seed.
import { failureOf } from '../../src/testing/simulate/report.ts'
import { runChecked, scenarioOf } from '../../src/testing/simulate/simulate.ts'
import type { Hazards } from '../../src/testing/simulate/hazards.ts'
import type { Plant, Scenario, Verdict } from '../../src/testing/simulate/scenario.ts'
import { shrink } from '../../src/testing/simulate/shrink.ts'
import { bank } from './bank.ts'
import { banking } from './bank-clients.ts'
import { bankInvariants } from './bank-invariants.ts'
import { office, retention } from './office.ts'
import { working } from './office-clients.ts'
import { officeInvariants } from './office-invariants.ts'

/** What must have happened in some seed: hazards that struck, and protections that were needed. */
export const required: readonly string[] = [
  'a late owner was fenced',
  'a client tried again',
  'a command was known already',
  'a duplicate was recognised',
  'an append conflicted',
  'a condition did not hold',
  'a message was to be retried',
  'a message was parked',
  'a message waited behind its key',
  'a timer was set',
  'a timer was cancelled',
  'a timer fired',
  'a poisoned message',
  'a passing error',
  'a slow handler',
  'a slow call was set aside',
  'undone to a savepoint',
  'a start failed',
  'a lease was taken over',
  'a dead letter was redriven',
  'a job redrove dead letters',
  'retention removed messages',
  'retention ended a stream',
  'what is done once was done already',
  'an operator paused a subscription',
  'an operator set a failure policy',
  'partitions were divided anew',
]

export const hazards = { poison: 1 }

export interface Simulated {
  readonly run: (seed: number) => ReturnType<typeof runChecked>
  /** The story of a failed seed, shrunk. */
  readonly story: (failed: Verdict) => Promise<string>
}

/** What is simulated. */
export type AppName = 'bank' | 'office'

const common = (plant: Plant | undefined, more: Partial<Hazards>) => ({
  hazards: { ...hazards, ...more },
  patience: '60s' as const,
  plant,
})

/** A scenario, ready to be run; its commands and queries are its own. */
const runnable = <C extends string, Q extends string>(scenario: Scenario<C, Q>): Simulated => ({
  run: (seed) => runChecked(scenario, seed),
  story: async (failed) => failureOf(failed, await shrink(scenario, failed)),
})

const apps: Readonly<
  Record<AppName, (plant: Plant | undefined, more: Partial<Hazards>) => Simulated>
> = {
  bank: (plant, more) =>
    runnable(
      scenarioOf(bank, { ...common(plant, more), workload: banking, invariants: bankInvariants }),
    ),
  office: (plant, more) =>
    runnable(
      scenarioOf(office, {
        ...common(plant, more),
        workload: working,
        invariants: officeInvariants,
        app: { retention },
      }),
    ),
}

/** Which app a seed is about, where nobody says. */
export const appOf = (seed: number): AppName => (Math.floor(seed / 5) % 2 === 0 ? 'bank' : 'office')

/** An app with a bug planted into it. */
export const planted = (app: AppName, plant: Plant, more: Partial<Hazards> = {}): Simulated =>
  apps[app](plant, more)

/** Both apps, as they are. */
export const simulated = (only?: AppName): Simulated => {
  const both = { bank: apps.bank(undefined, {}), office: apps.office(undefined, {}) }
  return {
    run: (seed) => both[only ?? appOf(seed)].run(seed),
    story: (failed) => both[only ?? appOf(failed.seed)].story(failed),
  }
}
