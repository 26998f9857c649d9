/**
 * How far each partition of each subscription has come. A checkpoint moves in the same transaction as the effect, by
 * compare-and-set: whoever lost the race, or lost the lease, commits nothing (decision D4).
 */
import type { Awaitable } from './awaitable.ts'

export interface Checkpoint {
  readonly subscription: string
  /** From 0; a subscription that is not divided has only this one. */
  readonly partition: number
  /** Every message up to here is done, waiting in retries, or was not meant for this partition. */
  readonly position: number
  /** Counts the rebuilds; part of the compare-and-set, so that a rebuild fences whoever is still running. */
  readonly generation: number
  /** Of the lease under which it moves (ports/leases.ts); part of the compare-and-set, so that a new holder fences the old. */
  readonly epoch: number
  /** While a rebuild runs: the position up to which the view is not to be shown; else 0. */
  readonly rebuildTo: number
  /** An operator asked for a rebuild that no process has begun yet. */
  readonly rebuildAsked: boolean
  /** When it last moved, Unix milliseconds. */
  readonly time: number
}

/** What a mover believes to be stored. `position: 0, generation: 0, epoch: 0` stands for an absent row too. */
export interface Seen {
  /** Default 0. */
  readonly partition?: number
  readonly position: number
  readonly generation: number
  /** Default 0: no lease was ever taken. */
  readonly epoch?: number
}

/** Which partition, and under which lease it is held. */
export interface Hold {
  readonly partition: number
  readonly epoch: number
}

/**
 * - `move` returns false, and changes nothing, if the stored row differs from `seen`. Reaching `rebuildTo` clears it.
 * - `claim` writes the epoch of a lease that was taken just now, in the same transaction; creates the row if absent.
 * - `holds` tells whether the stored row has this epoch still (0 for an absent row), and keeps it so until the
 *   transaction ends.
 * - `restart` sets position 0, generation + 1, `rebuildTo` and clears `rebuildAsked` of partition 0, and keeps its
 *   epoch; creates the row if absent.
 * - `divide` replaces all rows of the subscription by one for each position, in the next generation and with epoch 0:
 *   whoever holds a lease of the old rows is fenced.
 * - `ask` sets `rebuildAsked` of partition 0; it returns false if there is no such row.
 */
export interface Checkpoints {
  /** @param partition default 0. */
  load(subscription: string, partition?: number): Awaitable<Checkpoint | undefined>
  move(subscription: string, seen: Seen, position: number): Awaitable<boolean>
  claim(subscription: string, hold: Hold): Awaitable<Checkpoint>
  holds(subscription: string, hold: Hold): Awaitable<boolean>
  restart(subscription: string, rebuildTo: number): Awaitable<Checkpoint>
  divide(subscription: string, positions: readonly number[]): Awaitable<void>
  ask(subscription: string): Awaitable<boolean>
  /** All partitions of one subscription, or of all, by name and partition. */
  list(subscription?: string): Awaitable<readonly Checkpoint[]>
}
