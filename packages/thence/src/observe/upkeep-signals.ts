/**
 * What becomes of the work that a process does again and again beside its messages.
 */
export interface UpkeepSignal {
  readonly name: 'upkeep-failed'
  /** What failed: `poll`, `listening`, `membership`, `timers`, `jobs`, or `rebuild NAME@VERSION`. It is tried again. */
  readonly what: string
  /** So many times in a row. It is told of the first, second, fourth, eighth time and so on. */
  readonly failures: number
  readonly error: unknown
}
