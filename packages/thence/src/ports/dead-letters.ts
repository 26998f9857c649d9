/**
 * Messages that exhausted their retries, each with its why. A dead letter is stored in the transaction that gives up,
 * keeps the original message as it was stored, and outlives a redrive, an edit and a discard; only `trim` removes it.
 */
import type { ErrorKind } from '../errors.ts'
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
  /** What the subscription is given in its place, once an operator has edited it; else null. */
  readonly edited: StoredMessage | null
  readonly kind: ErrorKind
  /** It was done before, and failed when it was given to its handler again on purpose. */
  readonly replay: boolean
  readonly errorName: string
  /** The error's stable code, where it has one. */
  readonly errorCode: string | null
  readonly errorMessage: string
  readonly stack: string
  /** The same for letters that failed in the same way; handle/fingerprint.ts says which. */
  readonly fingerprint: string
  readonly attempts: readonly Attempt[]
  /** When it was parked for the last time, Unix milliseconds. */
  readonly time: number
  /** When its state last changed, Unix milliseconds. */
  readonly changed: number
  /** Why it was discarded, in the operator's words. */
  readonly reason: string | null
  /** The job that sent it through again the last time; null if none did. */
  readonly job: string | null
}

/** Matches a letter of which all that is given is true. */
export interface LetterFilter {
  readonly state?: DeadLetterState
  readonly subscription?: string
  readonly fingerprint?: string
  /** Of the message. */
  readonly type?: string
  readonly key?: string
  readonly kind?: ErrorKind
  /** Parked for the last time at this time or later, … */
  readonly since?: number
  /** … at this time or earlier; Unix milliseconds. */
  readonly until?: number
  readonly job?: string
  /** One of these. */
  readonly ids?: readonly string[]
}

/** Letters that failed in the same way. */
export interface LetterGroup {
  readonly subscription: string
  readonly fingerprint: string
  readonly count: number
  /** The earliest and the latest time of parking, Unix milliseconds. */
  readonly first: number
  readonly last: number
  /** The greatest id among them. */
  readonly sample: string
}

export interface LetterChange {
  readonly from: DeadLetterState
  readonly to: DeadLetterState
  /** Absent: as it was. */
  readonly reason?: string
  /** Absent: as it was. */
  readonly job?: string | null
  /** Absent: as it was. */
  readonly edited?: StoredMessage
}

/**
 * - `add` stores the letter; if one exists for the same (subscription, position) that one keeps its id, message, edit and
 *   job, takes over the new error, fingerprint, attempts and times, and is `parked` again.
 * - `mark` changes state, and what else is given; `changed` becomes the time of the adapter's clock. It returns false
 *   unless the letter is there in state `from`.
 * - `parkedOf` counts at most `most` and no more rows than that are looked at: it is asked for again and again, also while a
 *   million letters are parked.
 * - `underWay` says whether any letter of the job that is `redriven` has a row in the retries that is `due`: it goes on by
 *   itself, and does not wait behind another message. It is asked again and again while a job runs, and decodes nothing.
 * - `groups` gives the largest first, then those that failed last; of equal ones by subscription and fingerprint.
 * - `trim` removes at most `limit` letters that are `resolved` or `discarded` and changed before `before`, the earliest
 *   first (by that time, then id); it returns how many.
 */
export interface DeadLetters {
  add(letter: DeadLetter): Awaitable<void>
  mark(id: string, change: LetterChange): Awaitable<boolean>
  get(id: string): Awaitable<DeadLetter | undefined>
  find(subscription: string, position: number): Awaitable<DeadLetter | undefined>
  /** Which of the positions have a letter of any subscription that is not resolved, ascending. */
  openAt(positions: readonly number[]): Awaitable<readonly number[]>
  /** By id (so by time of first parking), after the id `after`. */
  list(
    options: LetterFilter & { readonly after?: string; readonly limit: number },
  ): Awaitable<readonly DeadLetter[]>
  /** How many in each state; default: of all. */
  counts(filter?: LetterFilter): Awaitable<Readonly<Record<DeadLetterState, number>>>
  /** How many letters of the subscription are parked, counted up to `most`. */
  parkedOf(subscription: string, most: number): Awaitable<number>
  underWay(job: string): Awaitable<boolean>
  groups(options: LetterFilter & { readonly limit: number }): Awaitable<readonly LetterGroup[]>
  trim(before: number, limit: number): Awaitable<number>
}
