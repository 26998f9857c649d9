// What a planted bug is, and how one is planted into a port.
import type { Hazards } from '../../src/testing/simulate/hazards.ts'
import type { Plant } from '../../src/testing/simulate/scenario.ts'
import type { Transaction } from '../../src/ports/database.ts'
import type { AppName } from './simulated.ts'
import { type Fault, faulty } from '../conformance/plant.ts'

export interface Mutant {
  /** What is wrong, in a sentence. */
  readonly name: string
  /** Makes it anew for every seed, so that nothing of one run is left in the next. */
  readonly make: () => Plant
  /** Into which app it is planted; default: the bank. */
  readonly app?: AppName
  /** More of the hazards that it takes. */
  readonly hazards?: Partial<Hazards>
}

/** Bugs of what only the office does. */
export const inOffice = (mutants: readonly Mutant[]): readonly Mutant[] =>
  mutants.map((mutant) => ({ ...mutant, app: 'office' }))

/** Where a bug only shows when certain things happen together, they happen more often. */
export const under = (hazards: Partial<Hazards>, mutants: readonly Mutant[]): readonly Mutant[] =>
  mutants.map((mutant) => ({ ...mutant, hazards }))

/** A fault of the database. */
export const below = (name: string, make: () => Fault): Mutant => ({
  name,
  make: () => {
    const fault = make()
    return { below: (database) => faulty(database, fault) }
  },
})

type Replace = (healthy: Transaction) => ReturnType<NonNullable<Fault['ports']>>

/** A port of the database that does not keep what it promises. */
export const ports = (name: string, replace: Replace): Mutant =>
  below(name, () => ({ name, ports: replace }))
