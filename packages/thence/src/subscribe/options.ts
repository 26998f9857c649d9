/**
 * What makes one subscription different from another: what it reads, how it is divided, where its messages go.
 */
import type { Classify } from '../handle/classify.ts'
import type { FailurePolicy } from '../handle/failure-policy.ts'
import type { PacePolicy } from '../handle/pace.ts'
import type { RetryPolicy } from '../handle/retry.ts'
import type { Recorded } from '../message/message.ts'
import type { Transaction } from '../ports/database.ts'
import type { Gained } from './division.ts'
import type { Sink } from './sink.ts'

export interface SubscriptionOptions {
  readonly name: string
  /** The part that it belongs to: a process that has the part can run it. Default: its own name. */
  readonly part?: string
  /** Whether it still is to be run, read where its lease is taken or gone. Default: as long as the process runs. */
  readonly isWanted?: (transaction: Transaction) => Promise<boolean>
  /** Types of messages it reads. */
  readonly types: readonly string[]
  /** Messages with the same key are handled in order, and only they wait for one that failed. Absent: one sequence. */
  readonly key?: ((message: Recorded) => string) | undefined
  /** Of the key: who has another one than is stored does not run it. Absent: who may run its part may run it. */
  readonly keyVersion?: number
  /** Into how many partitions its keys are divided; default 1. Needs a key. */
  readonly partitions?: number
  /** Where a subscription begins that has no checkpoint yet; default: at the start of the log. */
  readonly from?: 'start' | 'now'
  readonly retry: RetryPolicy
  /** Who is asked first what kind of failure an error stands for, before the default; in this order. */
  readonly rules?: readonly Classify[]
  /** What becomes of a message that is given up, unless an operator says otherwise. Default `park-key`. */
  readonly onFailure?: FailurePolicy | undefined
  /** How fast `prepare` may go. Absent: as fast as it can. */
  readonly pace?: Omit<PacePolicy, 'concurrency'>
  /** Messages per page of a partition, and so the most that it has in memory. */
  readonly batch: number
  /** The most bytes of text that a page has, but for one message; default 4 MiB. */
  readonly maxBytes?: number
  /** How many keys `prepare` works on side by side in this process. */
  readonly concurrency: number
  readonly sink: Sink
  /** Called where its lease is taken, with where it stands; gives the types of which it has passed some over, if any. */
  readonly onTake?: (transaction: Transaction, position: number) => Promise<Gained | undefined>
}
