/**
 * What a consumer has already done, by message id, written in the transaction of the effect: a second delivery of the
 * same id changes nothing and gives the first outcome back. Rows are kept for a window of time, and then trimmed.
 */
import type { Awaitable } from './awaitable.ts'
import type { Appended } from './events.ts'

/** What came of what was done. */
export interface Outcome extends Appended {
  /** What it gave, as JSON text; absent: nothing that is kept. */
  readonly result?: string
}

/** An outcome, and for what it stands. */
export interface Remembering extends Outcome {
  /** Of what was asked for, in the words of whoever asked; absent: nobody said. */
  readonly digest?: string
}

/** A row of the inbox. */
export interface Remembered extends Remembering {
  /** When it was remembered, Unix milliseconds by the clock of the database. */
  readonly time: number
}

/**
 * - `remember` returns false, and changes nothing, if the row is there already. It comes before the effect: of two
 *   transactions that do the same at once, the second finds the row of the first, or waits for it.
 * - `conclude` replaces the outcome of a row when that is known, and keeps its time and its digest; it returns false if
 *   there is no such row.
 * - `trim` removes at most `limit` rows with a time before `before`, the earliest first (by time, consumer, id); it
 *   returns how many. What was trimmed may be done again.
 */
export interface Inbox {
  remember(consumer: string, id: string, outcome: Remembering): Awaitable<boolean>
  conclude(consumer: string, id: string, outcome: Outcome): Awaitable<boolean>
  recall(consumer: string, id: string): Awaitable<Remembered | undefined>
  trim(before: number, limit: number): Awaitable<number>
}
