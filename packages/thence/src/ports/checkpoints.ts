/**
 * How far each subscription has come. A checkpoint moves in the same transaction as the effect, by compare-and-set:
 * whoever lost the race commits nothing (decision D4).
 */
import type { Awaitable } from './awaitable.ts'

export interface Checkpoint {
  readonly subscription: string
  /** Every message up to here is done, waiting in retries, or was not meant for this subscription. */
  readonly position: number
  /** Counts the rebuilds; part of the compare-and-set, so that a rebuild fences whoever is still running. */
  readonly generation: number
  /** While a rebuild runs: the position up to which the view is not to be shown; else 0. */
  readonly rebuildTo: number
  /** An operator asked for a rebuild that no process has begun yet. */
  readonly rebuildAsked: boolean
  /** When it last moved, Unix milliseconds. */
  readonly time: number
}

/** What a mover believes to be stored. `position: 0, generation: 0` stands for an absent row too. */
export interface Seen {
  readonly position: number
  readonly generation: number
}

/**
 * - `move` returns false, and changes nothing, if the stored row differs from `seen`. Reaching `rebuildTo` clears it.
 * - `restart` sets position 0, generation + 1, `rebuildTo` and clears `rebuildAsked`; creates the row if absent.
 * - `ask` sets `rebuildAsked`; it returns false if there is no such row.
 */
export interface Checkpoints {
  load(subscription: string): Awaitable<Checkpoint | undefined>
  move(subscription: string, seen: Seen, position: number): Awaitable<boolean>
  restart(subscription: string, rebuildTo: number): Awaitable<Checkpoint>
  ask(subscription: string): Awaitable<boolean>
  /** All, by name. */
  list(): Awaitable<readonly Checkpoint[]>
}
