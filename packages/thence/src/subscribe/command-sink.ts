/**
 * Commands that wait in the log, sent by sagas and handlers: their aggregate decides them in the transaction that moves
 * the checkpoint past them, so each is decided once.
 */
import type { Recorded } from '../message/message.ts'
import type { Writer } from '../store/writer.ts'
import type { RetryPolicy } from '../handle/retry.ts'
import type { SubscriptionOptions } from './options.ts'

export interface CommandTarget {
  readonly name: string
  readonly types: readonly string[]
  readonly key: (command: Recorded) => string
  readonly keyVersion: number
  readonly retry: RetryPolicy
  readonly partitions: number
  readonly decide: (writer: Writer, command: Recorded) => Promise<void>
}

/** The subscription that hands recorded commands to an aggregate. */
export function commandSubscription(target: CommandTarget): SubscriptionOptions {
  return {
    name: target.name,
    types: target.types,
    key: target.key,
    keyVersion: target.keyVersion,
    retry: target.retry,
    partitions: target.partitions,
    concurrency: 1,
    batch: 500,
    sink: {
      sideBySide: true,
      open: (writer) => ({ apply: (command) => target.decide(writer, command) }),
    },
  }
}
