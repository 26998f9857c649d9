/**
 * What an adapter finds when it looks after its own health: whether the schema is as the migrations make it, whether the
 * database is set up so that the promises hold, and what an operator would want to know at night. Looking changes nothing.
 */

/**
 * `ok`: as it should be. `notice`: worth knowing, nothing to do at once. `warning`: it will hurt sooner or later. `error`: a
 * promise does not hold now.
 */
export type FindingState = 'ok' | 'notice' | 'warning' | 'error'

export interface Finding {
  /** What was looked at, in one word or two; the same for every store of the adapter. */
  readonly check: string
  readonly state: FindingState
  /** What was found, with the values; never a password or message data. */
  readonly text: string
  /** What to do about it. */
  readonly advice?: string
}

/** Every adapter that can: in its own order, at least one finding for each check. A check that may not look says so. */
export interface Diagnosable {
  diagnose(): Promise<readonly Finding[]>
}
