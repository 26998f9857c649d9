/**
 * Messages that exhausted their retries, each with its why. A dead letter is stored in the transaction that gives up,
 * keeps the original message as it was stored, and is never deleted by a redrive or a discard.
 */
import type { Awaitable } from './awaitable.ts'
import type { StoredMessage } from './events.ts'
import type { Attempt } from './retries.ts'

/** `parked` waits for a person; `redriven` is on its way again; `resolved` went through; `discarded` was given up. */
export type DeadLetterState = 'parked' | 'redriven' | 'resolved' | 'discarded'

export interface DeadLetter {
  /** A UUIDv7 of its own. */
  readonly id: string
  readonly subscription: string
  readonly key: string
  readonly state: DeadLetterState
  /** The message as it was stored. */
  readonly message: StoredMessage
  readonly errorName: string
  /** The error's stable code, where it has one. */
  readonly errorCode: string | null
  readonly errorMessage: string
  readonly stack: string
  readonly attempts: readonly Attempt[]
  /** When it was parked for the last time, Unix milliseconds. */
  readonly time: number
  /** Why it was discarded, in the operator's words. */
  readonly reason: string | null
}

/**
 * - `add` stores the letter; if one exists for the same (subscription, position) that one keeps its id, takes over the
 *   new error, attempts and time, and is `parked` again.
 * - `mark` changes state (and reason); it returns false unless the letter is there in state `from`.
 */
export interface DeadLetters {
  add(letter: DeadLetter): Awaitable<void>
  mark(
    id: string,
    change: {
      readonly from: DeadLetterState
      readonly to: DeadLetterState
      readonly reason?: string
    },
  ): Awaitable<boolean>
  get(id: string): Awaitable<DeadLetter | undefined>
  find(subscription: string, position: number): Awaitable<DeadLetter | undefined>
  /** By id (so by time of first parking), after the id `after`. */
  list(options: {
    readonly state?: DeadLetterState
    readonly subscription?: string
    readonly after?: string
    readonly limit: number
  }): Awaitable<readonly DeadLetter[]>
  /** How many in each state. */
  counts(): Awaitable<Readonly<Record<DeadLetterState, number>>>
}
