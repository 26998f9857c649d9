/**
 * What makes one subscription different from another: what it reads, how it is divided, where its messages go.
 */
import type { RetryPolicy } from '../handle/retry.ts'
import type { Recorded } from '../message/message.ts'
import type { Sink } from './sink.ts'

export interface SubscriptionOptions {
  readonly name: string
  /** Types of messages it reads. */
  readonly types: readonly string[]
  /** Messages with the same key are handled in order, and only they wait for one that failed. Absent: one sequence. */
  readonly key?: ((message: Recorded) => string) | undefined
  /** Into how many partitions its keys are divided; default 1. Needs a key. */
  readonly partitions?: number
  /** Where a subscription begins that has no checkpoint yet; default: at the start of the log. */
  readonly from?: 'start' | 'now'
  readonly retry: RetryPolicy
  /** Messages per page of a partition, and so the most that it has in memory. */
  readonly batch: number
  /** How many keys `prepare` works on side by side in this process. */
  readonly concurrency: number
  readonly sink: Sink
}
