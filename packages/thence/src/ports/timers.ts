/**
 * Messages for later: rows by the time at which they are to fire, which the database's own clock decides. Firing one
 * removes the row and appends its message in one transaction, so a timer fires once, and never early by that clock.
 */
import type { Awaitable } from './awaitable.ts'
import type { NewMessage } from './events.ts'

/** A timer as it is set. */
export interface NewTimer {
  /** Unique; setting it again replaces the timer. */
  readonly id: string
  /** Whose timer it is, to list or to cancel all of them at once, for example a saga's stream. */
  readonly owner: string
  /** Unix milliseconds, or `in` so many milliseconds from now by the database's clock. */
  readonly due: number | { readonly in: number }
  /** Where the message goes. */
  readonly stream: string
  readonly message: NewMessage
}

/** A timer as it is kept. */
export interface Timer extends NewTimer {
  /** Unix milliseconds. */
  readonly due: number
  /**
   * When it is tried, in Unix milliseconds and at least 1: `due`, unless it has failed or was hurried; 0 if it was given
   * up and waits for a person.
   */
  readonly next: number
  /** How often it has failed. */
  readonly attempts: number
  /** Why it failed the last time; null if it has not. */
  readonly error: string | null
}

/** A place in the order by `next`, then id. */
export type TimerPlace = Pick<Timer, 'next' | 'id'>

export interface UpcomingOptions {
  readonly owner?: string
  /** Only timers after this place. */
  readonly after?: TimerPlace
  readonly limit: number
}

/**
 * - `set` gives when the timer is due; what it replaces is forgotten with all its failures.
 * - `due` gives timers with 0 < `next` ≤ the database's clock, by `next`, then id (as UTF-8). It changes nothing.
 * - `wait` gives the milliseconds until the first timer that is not due yet; undefined if there is none.
 * - `fail` counts one more failure; the timer is tried again `retryIn` milliseconds from now by the database's clock, or
 *   given up if that is null. `hurry` makes it due now and forgets its failures; `due` stays as it was. Both return
 *   false, and change nothing, if the timer is not there.
 */
export interface Timers {
  /** The time by the clock of the database, in Unix milliseconds. */
  now(): Awaitable<number>
  set(timer: NewTimer): Awaitable<number>
  find(id: string): Awaitable<Timer | undefined>
  /** Removes one timer; returns whether it was there. */
  cancel(id: string): Awaitable<boolean>
  /** Removes all timers of the owner; returns how many. */
  cancelAll(owner: string): Awaitable<number>
  due(options: { readonly after?: TimerPlace; readonly limit: number }): Awaitable<readonly Timer[]>
  wait(): Awaitable<number | undefined>
  fail(
    id: string,
    failure: { readonly error: string; readonly retryIn: number | null },
  ): Awaitable<boolean>
  hurry(id: string): Awaitable<boolean>
  /** How many were given up. */
  failed(): Awaitable<number>
  /** By `next`, then id: those that were given up come first. */
  upcoming(options: UpcomingOptions): Awaitable<readonly Timer[]>
  /** By id, after the id `after`. */
  list(options: { readonly after?: string; readonly limit: number }): Awaitable<readonly Timer[]>
}
