/**
 * What a row of the bench is: several cases that do the same work, and what is asked of ours against the others.
 */

export type Side = 'ours' | 'raw' | 'rival'

/** Where and how long a case runs. */
export interface Setting {
  /** An empty directory of this case and round. */
  readonly directory: string
  /** A directory of this run, for what is expensive to make and can be copied. */
  readonly shared: string
  /** How long to measure; warm-up comes before. */
  readonly seconds: number
  /** How much to do where the amount is fixed: 1, or less for a quick look. */
  readonly scale: number
}

/** One measurement: the figure of the row, and others worth telling beside it. */
export interface Figure {
  readonly value: number
  readonly beside?: Readonly<Record<string, number>>
}

export interface Case {
  readonly name: string
  readonly side: Side
  /** Prepares, warms up, measures, and throws unless what was done is what was asked. */
  run(setting: Setting): Promise<Figure>
}

/**
 * What ours is held to: the first case of our side, divided by the case that `against` names, round by round; without
 * it the bound is absolute.
 */
export interface Target {
  readonly against?: string
  /** Holds for this figure beside the value, by the medians. */
  readonly beside?: string
  readonly atLeast?: number
  readonly atMost?: number
}

export interface Row {
  readonly name: string
  readonly title: string
  readonly unit: string
  readonly durability: string
  readonly cases: readonly Case[]
  readonly targets: readonly Target[]
  /** Rounds for rows that take minutes; default: those of the run. */
  readonly rounds?: number
}

/** Fails a case whose result is not what it must be. */
export function check(what: string, actual: unknown, expected: unknown): void {
  if (Object.is(actual, expected)) return
  throw new Error(`${what}: got ${String(actual)} instead of ${String(expected)}`)
}
