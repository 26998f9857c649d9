/**
 * Begins, watches and ends transactions, each on a connection from the pool. Whatever fails, none stays open.
 */
import { isThenceError, ThenceError } from '../../errors.ts'
import type { Awaitable } from '../../ports/awaitable.ts'
import type { TransactOptions } from '../../ports/database.ts'
import { Connection } from './connection.ts'
import type { PostgresPool } from './driver.ts'
import { storeError } from './errors.ts'
import { positionIn } from './order.ts'
import { Patience } from './patience.ts'
import { Scope, type Session } from './scope.ts'
import type { Texts } from './texts.ts'

export interface RunnerOptions {
  readonly pool: PostgresPool
  readonly texts: Texts
  /** Milliseconds. */
  readonly transactionTimeout: number
  /** Milliseconds. */
  readonly lockTimeout: number
  /** Milliseconds. */
  readonly statementTimeout: number
}

/** The longest time that a setting of the server can say, in milliseconds. */
const longest = 2_147_483_647

/**
 * The server ends what a process left open that died; one that lives ends it by itself before. And a process gives up an answer that
 * the server should have refused by then. Milliseconds.
 */
export const grace = 5000

/** So long after a read that failed or was given up, reads are bounded by the server, those too that ask one thing. Milliseconds. */
const careful = 600_000

/** As the server takes it. */
export const setting = (milliseconds: number): number =>
  Math.min(longest, Math.max(1, milliseconds))

export class Runner {
  readonly #session: Session
  readonly #options: RunnerOptions
  readonly #patience: Patience
  /** Said in each transaction where the pool gave its sessions no name. */
  #name = ''
  /** By `elapsed`. */
  #carefulUntil = 0

  constructor(session: Session, options: RunnerOptions) {
    this.#session = session
    this.#options = options
    const { statementTimeout, lockTimeout } = options
    const longest = Math.max(statementTimeout, lockTimeout) + grace
    this.#patience = new Patience(session.runtime, longest)
  }

  /** From now on transactions say whose they are: the pool does not. */
  nameSessions(): void {
    this.#name = "SET LOCAL application_name = 'thence_store'; "
  }

  /** As the server takes it, in milliseconds. */
  get lockTimeout(): string {
    return String(setting(this.#options.lockTimeout))
  }

  /** A connection without a transaction; whoever takes it releases it. */
  async connect(patience: Patience = this.#patience): Promise<Connection> {
    const { pool, texts } = this.#options
    const coming = pool.connect()
    try {
      return new Connection(await this.#patience.run(() => coming), texts, patience)
    } catch (error) {
      // One that comes after all is of no use any more.
      coming.then((client) => client.release(true)).catch(() => undefined)
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
        this.#limits(timeout) +
        "SELECT pg_advisory_xact_lock(hashtextextended('thence.write', 0))" +
        // Waiting for the lock has a limit of its own.
        this.#statements(timeout),
      timeout,
    )
    return this.#run({ connection, kind: 'write', timeout }, work)
  }

  /**
   * `apart`: without a transaction around, which takes one call for each question instead of two more. Such a question is bounded by
   * this process alone: the server goes on with one that was given up. So that not one after the other is left there,
   * those after it have a transaction.
   */
  async read<T>(work: (scope: Scope) => Awaitable<T>, apart = false): Promise<T> {
    const { runtime } = this.#session
    const connection = await this.#connectFor(this.#options.transactionTimeout)
    try {
      if (apart && runtime.elapsed() >= this.#carefulUntil)
        return await this.#apart(connection, work)
      return await this.#readIn(connection, work)
    } catch (error) {
      if (connection.isSpent) this.#carefulUntil = runtime.elapsed() + careful
      throw error
    }
  }

  #apart<T>(connection: Connection, work: (scope: Scope) => Awaitable<T>): Promise<T> {
    return this.#run({ connection, kind: 'apart', timeout: this.#options.transactionTimeout }, work)
  }

  #readIn<T>(connection: Connection, work: (scope: Scope) => Awaitable<T>): Promise<T> {
    const timeout = this.#options.transactionTimeout
    const { ordering } = this.#session
    const begun = connection.begin(
      `${ordering.beforehand}BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; ${this.#limits(timeout)}` +
        `SET LOCAL lock_timeout = ${this.lockTimeout}${this.#statements(timeout)}`,
    )
    const bound = ordering.concurrent ? begun.then(positionIn) : undefined
    // Whoever asks for something meets its failure.
    bound?.catch(() => undefined)
    return this.#run({ connection, kind: 'read', timeout, bound }, work)
  }

  /** Whose a transaction is, and how long the server lets it stand idle. */
  #limits(timeout: number): string {
    if (timeout === Infinity) return this.#name
    return `${this.#name}SET LOCAL idle_in_transaction_session_timeout = ${setting(timeout + grace)}; `
  }

  /** How long the server lets each of its statements run. */
  #statements(timeout: number): string {
    const { statementTimeout } = this.#options
    if (timeout === Infinity || statementTimeout === Infinity) return ''
    return `; SET LOCAL statement_timeout = ${setting(statementTimeout)}`
  }

  #connectFor(timeout: number): Promise<Connection> {
    const endless = timeout === Infinity
    return this.connect(endless ? new Patience(this.#session.runtime, Infinity) : undefined)
  }

  async #begin(text: string, timeout: number): Promise<Connection> {
    const connection = await this.#connectFor(timeout)
    try {
      await connection.exec(text)
    } catch (error) {
      await connection.rollback()
      throw error
    }
    return connection
  }

  async #run<T>(open: OpenTransaction, work: (scope: Scope) => Awaitable<T>): Promise<T> {
    const { connection, kind, bound } = open
    const scope = new Scope(this.#session, connection, { writes: kind === 'write', bound })
    let result: T
    try {
      result = await inTime({ scope, session: this.#session, timeout: open.timeout }, work)
    } catch (error) {
      scope.end()
      if (kind === 'apart') connection.leave()
      else await connection.rollback(isThenceError(error, 'TRANSACTION_TIMEOUT'))
      throw error
    }
    scope.end()
    // A read has nothing to keep.
    if (kind === 'write') await connection.commit()
    else if (kind === 'read') await connection.rollback()
    else connection.leave()
    return result
  }
}

interface OpenTransaction {
  readonly connection: Connection
  /** `apart`: none was begun; each statement is one by itself. */
  readonly kind: 'write' | 'read' | 'apart'
  /** See {@link Scope}. */
  readonly bound?: Promise<number> | undefined
  /** How long it may stay open, in milliseconds. */
  readonly timeout: number
}

export interface Timed {
  readonly scope: Scope
  readonly session: Session
  /** Milliseconds. */
  readonly timeout: number
}

/** Runs `work` and ends its scope when it takes too long. @throws TRANSACTION_TIMEOUT */
export async function inTime<T>(
  { scope, session, timeout }: Timed,
  work: (scope: Scope) => Awaitable<T>,
): Promise<T> {
  if (timeout === Infinity) return work(scope)
  const { promise, reject } = Promise.withResolvers<never>()
  const cancel = session.runtime.after(timeout, () => {
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
