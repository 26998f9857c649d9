/**
 * What becomes of snapshots.
 */

export interface FrequentSnapshotSignal {
  readonly name: 'snapshot-taken'
  readonly stream: string
  readonly version: number
  /** Milliseconds. */
  readonly took: number
}

/** A snapshot could not be written; results do not depend on it. */
export interface NotableSnapshotSignal {
  readonly name: 'snapshot-failed'
  readonly stream: string
  readonly error: unknown
}
