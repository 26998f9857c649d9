/**
 * Messages for later: rows by due time. Firing one removes the row and appends its message in one transaction, so a
 * timer fires once, and never early by the clock of the process that fires it.
 */
import type { Awaitable } from './awaitable.ts'
import type { NewMessage } from './events.ts'

export interface Timer {
  /** Unique; setting it again replaces the timer. */
  readonly id: string
  /** Whose timer it is, to cancel all of them at once, for example a saga's stream. */
  readonly owner: string
  /** Unix milliseconds. */
  readonly due: number
  /** Where the message goes. */
  readonly stream: string
  readonly message: NewMessage
}

export interface Timers {
  set(timer: Timer): Awaitable<void>
  /** Removes one timer; returns whether it was there. */
  cancel(id: string): Awaitable<boolean>
  /** Removes all timers of the owner; returns how many. */
  cancelAll(owner: string): Awaitable<number>
  /** Timers with `due` ≤ now, by due time, then id. */
  due(now: number, limit: number): Awaitable<readonly Timer[]>
  /** When the next one is due, in Unix milliseconds; undefined if there is none. */
  next(): Awaitable<number | undefined>
  /** By id, after the id `after`. */
  list(options: { readonly after?: string; readonly limit: number }): Awaitable<readonly Timer[]>
}
