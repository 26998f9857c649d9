/**
 * Begins, watches and ends transactions, each on a connection from the pool. Whatever fails, none stays open.
 */
import { isThenceError, ThenceError } from '../../errors.ts'
import type { Awaitable } from '../../ports/awaitable.ts'
import type { TransactOptions } from '../../ports/database.ts'
import { Connection } from './connection.ts'
import type { PostgresPool } from './driver.ts'
import { storeError } from './errors.ts'
import { Scope, type Session } from './scope.ts'
import type { Texts } from './texts.ts'

export interface RunnerOptions {
  readonly pool: PostgresPool
  readonly texts: Texts
  /** Milliseconds. */
  readonly transactionTimeout: number
  /** Milliseconds. */
  readonly lockTimeout: number
}

/** The longest time that a setting of the server can say, in milliseconds. */
const longest = 2_147_483_647

/** The server ends what a process left open that died; one that lives ends it by itself before. Milliseconds. */
const grace = 5000

const setting = (milliseconds: number): number => Math.min(longest, Math.max(1, milliseconds))

export class Runner {
  readonly #session: Session
  readonly #options: RunnerOptions

  constructor(session: Session, options: RunnerOptions) {
    this.#session = session
    this.#options = options
  }

  /** As the server takes it, in milliseconds. */
  get lockTimeout(): string {
    return String(setting(this.#options.lockTimeout))
  }

  /** A connection without a transaction; whoever takes it releases it. */
  async connect(): Promise<Connection> {
    try {
      return new Connection(await this.#options.pool.connect(), this.#options.texts)
    } catch (error) {
      throw storeError(error)
    }
  }

  /** Write transactions of all processes run one after the other: each takes the same lock first. */
  async write<T>(
    work: (scope: Scope) => Awaitable<T>,
    { timeout = this.#options.transactionTimeout }: TransactOptions = {},
  ): Promise<T> {
    const connection = await this.#begin(
      `BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE; SET LOCAL lock_timeout = ${this.lockTimeout}; ` +
        (timeout === Infinity
          ? ''
          : `SET LOCAL idle_in_transaction_session_timeout = ${setting(timeout + grace)}; `) +
        "SELECT pg_advisory_xact_lock(hashtextextended('thence.write', 0))",
    )
    return this.#run({ connection, writes: true, timeout }, work)
  }

  async read<T>(work: (scope: Scope) => Awaitable<T>): Promise<T> {
    const timeout = this.#options.transactionTimeout
    const connection = await this.#begin(
      'BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; ' +
        `SET LOCAL idle_in_transaction_session_timeout = ${setting(timeout + grace)}`,
    )
    return this.#run({ connection, writes: false, timeout }, work)
  }

  async #begin(text: string): Promise<Connection> {
    const connection = await this.connect()
    try {
      await connection.exec(text)
    } catch (error) {
      await connection.rollback()
      throw error
    }
    return connection
  }

  async #run<T>(open: OpenTransaction, work: (scope: Scope) => Awaitable<T>): Promise<T> {
    const { connection, writes } = open
    const scope = new Scope(this.#session, connection, writes)
    let result: T
    try {
      result = await this.#inTime(scope, open.timeout, work)
    } catch (error) {
      scope.end()
      await connection.rollback(isThenceError(error, 'TRANSACTION_TIMEOUT'))
      throw error
    }
    scope.end()
    // A read has nothing to keep.
    if (writes) await connection.commit()
    else await connection.rollback()
    return result
  }

  async #inTime<T>(
    scope: Scope,
    timeout: number,
    work: (scope: Scope) => Awaitable<T>,
  ): Promise<T> {
    if (timeout === Infinity) return work(scope)
    const { promise, reject } = Promise.withResolvers<never>()
    const cancel = this.#session.runtime.after(timeout, () => {
      const error = new ThenceError(
        'TRANSACTION_TIMEOUT',
        `A transaction was open for more than ${timeout} ms and was rolled back. Do slow work outside of it.`,
        { details: { milliseconds: timeout } },
      )
      scope.end(error)
      reject(error)
    })
    try {
      return await Promise.race([work(scope), promise])
    } finally {
      cancel()
    }
  }
}

interface OpenTransaction {
  readonly connection: Connection
  readonly writes: boolean
  /** How long it may stay open, in milliseconds. */
  readonly timeout: number
}
