/**
 * Begins, watches and ends transactions on the one connection. Whatever fails, none stays open, and what was
 * remembered of the log goes back with it.
 */
import { ThenceError } from '../../errors.ts'
import type { Awaitable } from '../../ports/awaitable.ts'
import type { TransactOptions } from '../../ports/database.ts'
import { after, isPromise } from './later.ts'
import type { Patience } from './patience.ts'
import type { TailMark } from './tail.ts'
import { Scope, type Session } from './scope.ts'

/** Also takes the snapshot that a read will see, so that a lock shows here and not in the middle of the work. */
const dataVersion = 'PRAGMA data_version'

export class Runner {
  readonly #session: Session
  readonly #patience: Patience
  readonly #timeout: number

  constructor(session: Session, patience: Patience, timeout: number) {
    this.#session = session
    this.#patience = patience
    this.#timeout = timeout
  }

  write<T>(
    work: (scope: Scope) => Awaitable<T>,
    { timeout = this.#timeout }: TransactOptions = {},
  ): Awaitable<T> {
    return after(
      this.#patience.run(() => this.#begin('BEGIN IMMEDIATE')),
      (version) => {
        const { tail } = this.#session
        tail.begin(version)
        const scope = new Scope(this.#session, true)
        return this.#run({ scope, mark: tail.mark(), timeout }, work)
      },
    )
  }

  read<T>(work: (scope: Scope) => Awaitable<T>): Awaitable<T> {
    return after(
      this.#patience.run(() => this.#begin('BEGIN')),
      () => {
        const scope = new Scope(this.#session, false)
        return this.#run({ scope, mark: undefined, timeout: this.#timeout }, work)
      },
    )
  }

  #begin(sql: 'BEGIN' | 'BEGIN IMMEDIATE'): number {
    const { connection } = this.#session
    connection.begin(sql)
    try {
      return connection.get<[number]>(dataVersion)![0]
    } catch (error) {
      connection.rollback()
      throw error
    }
  }

  #run<T>(open: OpenTransaction, work: (scope: Scope) => Awaitable<T>): Awaitable<T> {
    let result: Awaitable<T>
    try {
      result = work(open.scope)
    } catch (error) {
      this.#rollback(open)
      throw error
    }
    if (isPromise(result)) return this.#watch(open, result)
    this.#commit(open)
    return result
  }

  #watch<T>(open: OpenTransaction, result: Promise<T>): Promise<T> {
    const { promise, resolve, reject } = Promise.withResolvers<T>()
    const { timeout } = open
    const late = (): void => {
      const error = new ThenceError(
        'TRANSACTION_TIMEOUT',
        `A transaction was open for more than ${timeout} ms and was rolled back. Do slow work outside of it.`,
        { details: { milliseconds: timeout } },
      )
      this.#rollback(open, error)
      reject(error)
    }
    const { runtime } = this.#session
    const cancel = timeout === Infinity ? () => undefined : runtime.after(timeout, late)
    result.then(
      (value) => {
        cancel()
        if (!open.scope.open) return
        try {
          this.#commit(open)
          resolve(value)
        } catch (error) {
          reject(error)
        }
      },
      (error: Error) => {
        cancel()
        if (open.scope.open) this.#rollback(open)
        reject(error)
      },
    )
    return promise
  }

  #commit(open: OpenTransaction): void {
    open.scope.end()
    const { connection, tail } = this.#session
    // A read has nothing to keep.
    if (open.mark === undefined) return connection.rollback()
    try {
      connection.commit()
    } catch (error) {
      tail.forget()
      throw error
    }
  }

  #rollback(open: OpenTransaction, error?: ThenceError): void {
    open.scope.end(error)
    this.#session.connection.rollback()
    if (open.mark !== undefined) this.#session.tail.undo(open.mark)
  }
}

interface OpenTransaction {
  readonly scope: Scope
  /** What to go back to; undefined for a read. */
  readonly mark: TailMark | undefined
  /** How long it may stay open, in milliseconds. */
  readonly timeout: number
}
