/**
 * What a store must offer to be tortured: very little, so that stores of others fit too. What a store cannot do is left
 * out, and the traps that need it are told as not driven.
 */
import type { Awaitable } from '../../ports/awaitable.ts'

/** An event as the feed of all streams gives it. */
export interface TortureEvent {
  readonly id: string
  readonly stream: string
  /** Counts the events of its stream from 1. Absent: the store has no such number. */
  readonly version?: number
  /** Where it stands in the feed. Absent: the store has no such number, or it orders by something else. */
  readonly position?: number | bigint
}

/** Events of one append, which are written together or not at all. */
export interface TortureAppend {
  readonly stream: string
  readonly ids: readonly string[]
  /** The version that the stream must have; 0: it must not exist. Default: any. */
  readonly expected?: number
}

/**
 * - `appended`: written; in a transaction, if that commits.
 * - `refused`: `expected` did not hold, nothing was written.
 * - `busy`: others were in the way, nothing was written and a transaction around it can only be rolled back.
 *
 * Anything else is thrown, and counts as a fault of the store.
 */
export type TortureAnswer = 'appended' | 'refused' | 'busy'

/** One subscriber: it goes on where it was, as the store's own subscribers do. */
export interface TortureReader {
  /** What comes next, in the order of the feed; an empty list if there is nothing now. */
  next(limit: number): Promise<readonly TortureEvent[]>
  stop?(): Awaitable<void>
}

/** A part of a transaction that can be undone alone. */
export interface TortureSavepoint {
  keep(): Promise<void>
  undo(): Promise<void>
}

/** A transaction that stays open until it is told how to end. */
export interface TortureTransaction {
  append(request: TortureAppend): Promise<TortureAnswer>
  /** Writes something that is no event, so that the database gives the transaction its id before it appends. */
  touch?(): Promise<unknown>
  savepoint?(): Promise<TortureSavepoint>
  /** Ends it as PREPARE TRANSACTION does: neither committed nor undone until a session says so by this name. */
  prepare?(name: string): Promise<void>
  commit(): Promise<void>
  rollback(): Promise<void>
}

/** What one process has of the store: connections of its own. */
export interface TortureClient {
  append(request: TortureAppend): Promise<TortureAnswer>
  /** A subscriber that begins with the first event of the store. */
  reader(): Awaitable<TortureReader>
  /** Gives nothing if others were in the way. Absent: the store appends in no transaction that can be held open. */
  begin?(): Promise<TortureTransaction | undefined>
  close(): Promise<void>
}

/** A session beside the store, as `pg` has it. */
export interface TortureSession {
  query(text: string, values?: readonly unknown[]): Promise<{ readonly rows: readonly object[] }>
  close(): Promise<void>
}

/** Raw sessions on the server of the store. They must be allowed to see and end the sessions of the store. */
export interface TortureSessions {
  /** On the database of the store, or on another one of the same server. */
  open(database?: string): Promise<TortureSession>
  /** `application_name` of the connections of the store, by which they are found. */
  readonly application: string
  /** The sequences that positions come from, with their schema; none if positions come from no sequence. */
  readonly sequences: readonly string[]
}

/** A fresh and empty store. */
export interface TortureSubject {
  connect(): Promise<TortureClient>
  /** The store's own way to be told of new events without asking. Absent: it has none. */
  follow?(told: (event: TortureEvent) => void): Promise<{ stop(): Promise<void> }>
  /** Absent: there is no server, or it cannot be reached. */
  readonly sessions?: TortureSessions
  /** Throws the store away, after its clients were closed. */
  dispose(): Awaitable<void>
}

/** Gives a fresh subject for each trap. */
export type TortureMake = () => Promise<TortureSubject>
