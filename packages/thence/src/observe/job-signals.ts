/**
 * What becomes of jobs: long work on the store, such as a redrive.
 */
import type { JobState } from '../ports/jobs.ts'

export type NotableJobSignal =
  /** A batch failed and was rolled back; this process takes it again after `retryIn` milliseconds. */
  | {
      readonly name: 'job-failed'
      readonly job: string
      readonly kind: string
      readonly retryIn: number
      readonly error: unknown
    }
  /** This process did the last batch of a job, or found that it must stop. */
  | {
      readonly name: 'job-ended'
      readonly job: string
      readonly kind: string
      readonly state: JobState
      /** Why it stopped by itself; else null. */
      readonly error: string | null
    }
