/**
 * The bundle of all storage ports: what a database adapter is. Everything happens inside `transact` or `read`, so that
 * a view, its checkpoint, an inbox row, saga state and outgoing messages move together or not at all.
 */
import type { Audit } from './audit.ts'
import type { Awaitable } from './awaitable.ts'
import type { Checkpoints } from './checkpoints.ts'
import type { Copyable } from './copying.ts'
import type { DeadLetters } from './dead-letters.ts'
import type { Diagnosable } from './diagnosis.ts'
import type { Documents } from './documents.ts'
import type { AppendRequest, Events, Verdict } from './events.ts'
import type { Inbox } from './inbox.ts'
import type { Jobs } from './jobs.ts'
import type { Leases } from './leases.ts'
import type { Listener, Listening } from './listening.ts'
import type { Retries } from './retries.ts'
import type { Runtime } from './runtime.ts'
import type { Sizes } from './sizes.ts'
import type { Snapshots } from './snapshots.ts'
import type { Sql } from './sql.ts'
import type { Timers } from './timers.ts'

/**
 * All ports, bound to one open transaction. Using it after the transaction ended throws. The log and the inbox may be asked side by side: each question
 * is answered as if it were alone, those about one stream in the order in which they were asked.
 */
export interface Transaction {
  readonly events: Events
  readonly checkpoints: Checkpoints
  readonly retries: Retries
  readonly deadLetters: DeadLetters
  readonly inbox: Inbox
  readonly leases: Leases
  readonly timers: Timers
  readonly snapshots: Snapshots
  readonly documents: Documents
  readonly audit: Audit
  readonly jobs: Jobs
  readonly sizes: Sizes
  /** Throws CAPABILITY_MISSING where the adapter has no SQL. */
  readonly sql: Sql
  /** Runs `work`; if it throws, undoes only what `work` did and throws the same error. One at a time, or nested. */
  savepoint<T>(work: () => Awaitable<T>): Promise<T>
}

export interface Capabilities {
  /** Whether views may be written in plain SQL. */
  readonly sql: boolean
  /** Whether what was committed survives the end of the process. */
  readonly durable: boolean
  /** Whether the store outlives this object, and others, of other processes for example, can be open on it meanwhile. */
  readonly shared: boolean
  /** Whether `listen` tells of what others append; else it is found by looking. */
  readonly notifies: boolean
  /** Whether the database works outside of this process, which can do something else meanwhile. */
  readonly remote: boolean
}

/** A numbered change of the database schema. */
export interface Migration {
  readonly number: number
  readonly name: string
  /** What would be, or was, run. */
  readonly script: string
}

export interface MigrationPlan {
  /** Number of the last migration that the store has; 0 for a new one. */
  readonly current: number
  /** What is missing, in order. */
  readonly pending: readonly Migration[]
}

export interface TransactOptions {
  /** How long it may stay open, in milliseconds; `Infinity` for ever. Default: the adapter's limit. */
  readonly timeout?: number
}

export interface ReadOptions {
  /**
   * Each question of the work is answered by itself, so two of them may see two states: for work that asks one thing. There are
   * no savepoints then and no SQL of the user's. Default: false, all of them see one state.
   */
  readonly apart?: boolean
}

/**
 * A transaction that the user began and will end, held by a library of the user's: it runs one statement at a time, with
 * texts for `$1`, `$2` and so on, and gives the rows by the names of their columns.
 */
export interface OwnTransaction {
  /** The library's name, for messages. */
  readonly library: string
  /** What the library holds: two calls for one transaction go one after the other. */
  readonly of: object
  query(text: string, values: readonly string[]): Promise<readonly unknown[]>
}

export interface JoinOptions {
  /** Whether no write transaction of the store may run beside it, from now to the user's commit. */
  readonly alone: boolean
  /** How long the user's transaction may stay open from now on, in milliseconds. Default: the adapter's limit. */
  readonly timeout?: number
}

/**
 * What an adapter promises:
 *
 * - `transact` commits when `work` resolves and rolls everything back when it throws, and throws the same error. Write
 *   transactions of all processes run one after the other (or as if they did). When it resolves, the commit is as
 *   durable as `capabilities` says.
 * - `read` shows one committed state; it never shows an open transaction's writes. With `apart` each question may be shown
 *   a committed state of its own.
 * - Calling `append`, `transact` or `read` from inside `work` throws TRANSACTION_NESTED instead of waiting for itself.
 * - A transaction that stays open longer than the adapter's limit, or the `timeout` that was given for it, is rolled
 *   back with TRANSACTION_TIMEOUT.
 * - `append` is one commit for the whole batch, with a verdict per request, judged in order (a request sees those
 *   before it). A refused request neither aborts the others nor burns positions.
 * - `migrate` applies what is missing, under a lock, each number once, and gives what it ran; `plan` changes nothing. Opening a store that a
 *   newer version has migrated throws STORE_TOO_NEW.
 * - `identity` gives the random name that the store got when it was made (letters, digits and dashes, at most 64): the same
 *   through every connection and for ever, another one for another store. A copy of a store has the same.
 *   Before the first migration it may throw STORE_NOT_MIGRATED, and while the store is filled from another STORE_INCOMPLETE.
 * - `listen` is there if `capabilities.notifies`; see ports/listening.ts.
 * - `close` may be called twice; afterwards everything throws STORE_CLOSED.
 * - When it cannot be known whether a commit happened (the connection was lost before its answer came), `append` and
 *   `transact` throw OUTCOME_UNKNOWN; the commit may even happen later. Doing the same again with the same ids is safe.
 * - `join`, where there is one, runs `work` inside a transaction that the user holds: what it does commits with that, or not at all.
 *   If `work` throws, what it did is undone and nothing else is. Two of them in one transaction run one after the other. Nothing is written
 *   before it is known that the transaction is open (else STATE_INVALID), is of this store, and has the isolation that
 *   appends need (else CONFIG_INVALID). From then on the database ends the transaction if it is left open.
 * - Errors of the driver become typed: STORE_BUSY, STORE_FULL, STORE_READ_ONLY, STORE_CORRUPT, STORE_REFUSED, else STORE_FAILED.
 */
export interface Database extends Partial<Diagnosable & Copyable> {
  readonly name: string
  readonly capabilities: Capabilities
  /** Hands over the runtime, before anything else is called. */
  open(runtime: Runtime): Awaitable<void>
  plan(): Awaitable<MigrationPlan>
  migrate(): Promise<MigrationPlan>
  identity(): Promise<string>
  append(requests: readonly AppendRequest[]): Promise<readonly Verdict[]>
  transact<T>(
    work: (transaction: Transaction) => Awaitable<T>,
    options?: TransactOptions,
  ): Promise<T>
  read<T>(work: (transaction: Transaction) => Awaitable<T>, options?: ReadOptions): Promise<T>
  /** Absent where the adapter can't work in a transaction that the user holds. */
  join?<T>(
    own: OwnTransaction,
    work: (transaction: Transaction) => Awaitable<T>,
    options: JoinOptions,
  ): Promise<T>
  listen?(listener: Listener): Listening
  close(): Promise<void>
}
