/** What a simulation is made of, and what comes of one seed. */
import type { App } from '../../app/app.ts'
import type { AppBuilder } from '../../app/builder.ts'
import type { Database } from '../../ports/database.ts'
import type { Runtime } from '../../ports/runtime.ts'
import type { SimulatedClient } from './client.ts'
import type { Hazards, LastingHazard } from './hazards.ts'
import type { Line } from './history.ts'
import type { Oracle } from './oracle.ts'
import type { Outcome } from './outcome.ts'
import type { SimulatedOptions, SimulatedProcess } from './process.ts'
import type { RealCall } from './real.ts'
import type { Strike } from './schedule.ts'

/** What is simulated. */
export interface Scenario<C extends string, Q extends string> {
  readonly build: (builder: AppBuilder, context: SimulatedProcess) => AppBuilder<C, Q>
  readonly workload: (client: SimulatedClient<C, Q>) => Promise<void>
  readonly invariants: Readonly<Record<string, (end: SimulationEnd<C, Q>) => void | Promise<void>>>
  readonly processes: number
  readonly clients: number
  readonly hazards: Partial<Hazards>
  /** How long hazards strike, in milliseconds. */
  readonly duration: number
  readonly app: SimulatedOptions
  /** Calls of the real machine that do no harm. */
  readonly allows: readonly RealCall[]
  /** How long everything may take to come to its end afterwards, in milliseconds. */
  readonly patience: number
  /** Stands between the processes and the store; for planting bugs. */
  readonly plant?: Plant | undefined
}

/** Replaces the database: `below` the network, as a broken adapter would, or `above` it, as a broken room would. */
export interface Plant {
  readonly below?: (database: Database) => Database
  readonly above?: (database: Database, runtime: Runtime) => Database
}

/** What the user's invariants look at. */
export interface SimulationEnd<C extends string, Q extends string> extends Pick<
  Outcome,
  'messages' | 'letters'
> {
  /** A process without trouble, for asking. */
  readonly app: App<C, Q>
  readonly acknowledged: Oracle['acknowledged']
  readonly outside: Oracle['outside']
}

export interface Verdict {
  readonly seed: number
  /** Nothing, if all is well. */
  readonly problems: readonly string[]
  /** What stands for the whole run. */
  readonly hash: string
  readonly counts: ReadonlyMap<string, number>
  readonly strikes: readonly Strike[]
  /** Hazards that are no single strikes and were not left out. */
  readonly lasting: readonly LastingHazard[]
  /** Parts to which nothing came. */
  readonly idle: readonly string[]
  readonly timeline: readonly Line[]
  /** Virtual milliseconds. */
  readonly age: number
  readonly steps: number
}

export interface RunOptions {
  /** Strikes to follow instead of drawing them. */
  readonly strikes?: readonly Strike[]
  /** Hazards to leave out that are no single strikes. */
  readonly without?: readonly LastingHazard[]
  /** Whether to write the timeline. */
  readonly detailed?: boolean
}
