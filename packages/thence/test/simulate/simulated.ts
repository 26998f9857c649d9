// What `npm run simulate` and the tests simulate: the bank, with a bug planted into it or without.
import { failureOf } from '../../src/testing/simulate/report.ts'
import { runChecked, scenarioOf } from '../../src/testing/simulate/simulate.ts'
import type { Hazards } from '../../src/testing/simulate/hazards.ts'
import type { Plant, Verdict } from '../../src/testing/simulate/scenario.ts'
import { shrink } from '../../src/testing/simulate/shrink.ts'
import { bank } from './bank.ts'
import { banking } from './bank-clients.ts'
import { bankInvariants } from './bank-invariants.ts'

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
  'undone to a savepoint',
  'a start failed',
  'a lease was taken over',
  'partitions were divided anew',
]

export const hazards = { poison: 1 }

export interface Simulated {
  readonly run: (seed: number) => ReturnType<typeof runChecked>
  /** The story of a failed seed, shrunk. */
  readonly story: (failed: Verdict) => Promise<string>
}

/** The bank, ready to be run. */
export const simulated = (plant?: Plant, more: Partial<Hazards> = {}): Simulated => {
  const scenario = scenarioOf(bank, {
    workload: banking,
    invariants: bankInvariants,
    hazards: { ...hazards, ...more },
    patience: '60s',
    plant,
  })
  return {
    run: (seed) => runChecked(scenario, seed),
    story: async (failed) => failureOf(failed, await shrink(scenario, failed)),
  }
}
