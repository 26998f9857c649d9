/**
 * Who does what: processes that are alive, and which of them holds which lease. A lease only saves work that another
 * does already; what protects the data is the epoch, which the compare-and-set of the checkpoint compares (decision D4).
 */
import type { Awaitable } from './awaitable.ts'

/** A running process, or one app of it. */
export interface Member {
  /** Of its own, new at every start. */
  readonly id: string
  /** For people, and for others on the same machine to see whether it still runs: host and process number. */
  readonly name: string
  /** The subscriptions that it can run. */
  readonly runs: readonly string[]
  /** When it was first seen, Unix milliseconds by the database's clock. */
  readonly started: number
  /** Until when it counts as alive, unless it is heard of again; Unix milliseconds by the database's clock. */
  readonly until: number
}

export interface Lease {
  /** What is leased: one partition of one subscription, for example. */
  readonly name: string
  /** Id of the member that holds it; null: it is free. It counts only while that member is alive. */
  readonly owner: string | null
  /** Grows by one whenever the lease changes hands. */
  readonly epoch: number
}

/**
 * All times are the database's own, so that processes need not agree on theirs.
 * - `beat` makes the member known or keeps it alive for `duration` milliseconds from now, forgets members whose time is
 *   over, and gives those that are alive, by id.
 * - `leave` forgets a member and frees its leases.
 * - `take` gives the lease to a member that is alive if it is free or its owner is not alive, with the next epoch; to its
 *   owner it is given as it is. Else it changes nothing and gives undefined.
 * - `release` frees a lease; it returns false, and changes nothing, unless the member holds it.
 */
export interface Leases {
  beat(member: Pick<Member, 'id' | 'name' | 'runs'>, duration: number): Awaitable<readonly Member[]>
  leave(member: string): Awaitable<void>
  take(name: string, member: string): Awaitable<Lease | undefined>
  release(name: string, member: string): Awaitable<boolean>
  /** Those that are alive, by id. */
  members(): Awaitable<readonly Member[]>
  /** All, by name. */
  list(): Awaitable<readonly Lease[]>
}
