/**
 * Long work on the store, for example a redrive: a row that says what is to be done and how far it has come. Any running
 * process takes the next batch, in one transaction with the row, by compare-and-set: so a batch is done once, whoever
 * does it, and a crash loses nothing but time.
 */
import type { Awaitable } from './awaitable.ts'

/**
 * `running`: whoever comes takes the next batch. `paused`: an operator has it wait. `done`: all was done. `stopped`: it
 * stopped by itself, `error` says why. `cancelled`: an operator gave it up.
 */
export type JobState = 'running' | 'paused' | 'done' | 'stopped' | 'cancelled'

export interface Job {
  /** A UUIDv7. */
  readonly id: string
  /** Which program does it, for example `redrive`. */
  readonly kind: string
  readonly state: JobState
  /** What is to be done: JSON text, never changed. */
  readonly spec: string
  /** How far it has come: JSON text. */
  readonly progress: string
  /** How much there was to do when it began; null if nobody counted. */
  readonly total: number | null
  /** No batch is taken before this time, Unix milliseconds by the database's clock; 0: at once. */
  readonly next: number
  /** Grows by one with every save; 1 when it is new. */
  readonly version: number
  /** Unix milliseconds. */
  readonly created: number
  /** When it was last saved, Unix milliseconds. */
  readonly updated: number
  /** Who began it. */
  readonly actor: string
  /** Why it stopped by itself; else null. */
  readonly error: string | null
}

export interface JobFilter {
  readonly kind?: string
  readonly state?: JobState
  /** Only jobs whose id comes before this one. */
  readonly before?: string
  readonly limit: number
}

/**
 * - `save` keeps the job with the version `expected` + 1, whatever its own says; it returns false, and changes nothing,
 *   unless the stored version is `expected` (0: there is no such job).
 * - `list` gives jobs by id, the latest first.
 * - `trim` removes at most `limit` jobs that have ended (`done`, `stopped`, `cancelled`) and were saved for the last time
 *   before `before`, the earliest first (by that time, then id); it returns how many.
 */
export interface Jobs {
  save(job: Job, expected: number): Awaitable<boolean>
  get(id: string): Awaitable<Job | undefined>
  list(filter: JobFilter): Awaitable<readonly Job[]>
  trim(before: number, limit: number): Awaitable<number>
}
