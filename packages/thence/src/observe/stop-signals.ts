/**
 * What becomes of the end of an app.
 */
export interface StopSignal {
  readonly name: 'stop-unfinished'
  /** What did not end in time, and is not waited for any longer. */
  readonly what: 'subscriptions' | 'retention' | 'snapshots' | 'report' | 'database'
  /** How long it was waited for, in milliseconds. */
  readonly waited: number
}
