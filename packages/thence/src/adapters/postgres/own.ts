/**
 * Work inside a transaction that the user holds. It is checked before anything is written, guarded by a savepoint, so that a failure
 * of ours undoes only what is ours, and bounded by the server, so that one that is forgotten holds up nobody for long.
 */
import { isThenceError, ThenceError } from '../../errors.ts'
import type { Inside } from '../../internal/context.ts'
import { Gate } from '../../internal/gate.ts'
import type { Awaitable } from '../../ports/awaitable.ts'
import type { JoinOptions, OwnTransaction, Transaction } from '../../ports/database.ts'
import type { Sql } from '../../ports/sql.ts'
import { Connection } from './connection.ts'
import { sqlState, storeError } from './errors.ts'
import { OwnClient } from './own-client.ts'
import { Patience } from './patience.ts'
import { inTime, type RunnerOptions, setting } from './runner.ts'
import { Scope, type Session } from './scope.ts'
import { PostgresTransaction } from './transaction.ts'

/** Bounds of the server for the rest of the transaction; some versions lack some. A value of 0 is none. */
const bounds = [
  'lock_timeout',
  'statement_timeout',
  'idle_in_transaction_session_timeout',
  'transaction_timeout',
] as const

const look =
  "SELECT current_setting('transaction_isolation'), current_setting('transaction_read_only'), " +
  '(SELECT json_object_agg(name, setting) FROM pg_settings WHERE name = ANY ($1))::text'
/** That a savepoint of ours is open is remembered by a setting, which is undone with it. */
const identify =
  "SELECT value, current_setting('thence_store.within', true), set_config('thence_store.within', 'open', true) " +
  "FROM thence.meta WHERE key = 'store_id'"
const lockWrites = "SELECT pg_advisory_xact_lock(hashtextextended('thence.write', 0))::text"
const savepoint = 'thence_within'

/** What takes too long here is told before the server ends it. Milliseconds. */
const grace = 1000

/** Milliseconds, by their names. */
type Limits = Readonly<Record<string, string>>

const foreign = (cause?: unknown): ThenceError =>
  new ThenceError(
    'CONFIG_INVALID',
    'Your transaction is in another database than the store, or sees another store in it, so nothing was written. ' +
      'Both must be in one database: give your library and the pool of postgres({ pool }) the same.',
    { cause },
  )

const notOpen = (own: OwnTransaction, cause: unknown): ThenceError =>
  new ThenceError(
    'STATE_INVALID',
    `The transaction of ${own.library} is not open: it was not begun, has ended, or has failed before. ` +
      'Call within inside of it, on what the library gives for it, and await it.',
    { cause },
  )

/** In a transaction of the user's own the user has a library for SQL. */
const noSql = (): never => {
  throw new ThenceError(
    'CAPABILITY_MISSING',
    'A view in tables of its own cannot change inside a transaction that you hold. Let it follow, or use documents.',
  )
}
const withoutSql: Sql = { run: noSql, all: noSql }

export interface Joining {
  readonly session: Session
  readonly limits: Omit<RunnerOptions, 'pool'>
  /** Of the store, as its own connections see it. */
  readonly identity: () => Promise<string>
  readonly inside: Inside
}

export class Joiner {
  readonly #on: Joining
  /** By what the libraries hold. */
  readonly #gates = new WeakMap<object, Gate>()

  constructor(on: Joining) {
    this.#on = on
  }

  /** See `join` of ports/database.ts. */
  async join<T>(
    own: OwnTransaction,
    work: (transaction: Transaction) => Awaitable<T>,
    options: JoinOptions,
  ): Promise<T> {
    const gate = this.#gates.get(own.of) ?? new Gate()
    this.#gates.set(own.of, gate)
    return gate.run(() => this.#join(own, work, options))
  }

  async #join<T>(
    own: OwnTransaction,
    work: (transaction: Transaction) => Awaitable<T>,
    options: JoinOptions,
  ): Promise<T> {
    const { session, limits, inside } = this.#on
    const longest = Math.max(limits.statementTimeout, limits.lockTimeout) + 2 * grace
    const patience = new Patience(session.runtime, longest)
    const connection = new Connection(new OwnClient(own), limits.texts, patience)
    const present = await this.#look(connection, own)
    await this.#enter(connection, own)
    const { timeout = limits.transactionTimeout, alone } = options
    const scope = new Scope(session, connection, { writes: true })
    try {
      const isFirst = await this.#prepare(connection, present, { alone, timeout })
      const run = (): Awaitable<T> =>
        inside.run(() => work(new PostgresTransaction(scope, withoutSql)))
      const result = await inTime({ scope, session, timeout }, run)
      // Sent by the server with the user's commit, of which we are not told.
      if (scope.appended > 0)
        await scope.use().run(...session.ordering.telling(limits.texts.channel, scope.appended))
      // A statement may have failed whose error was caught.
      scope.use()
      scope.end()
      // The first one stays until the user's commit: to release it would be one more round trip with the lock held. Those after it
      // would each hold a lock of the server; nothing of the user's stands behind them yet.
      if (!isFirst) await connection.run(`RELEASE SAVEPOINT ${savepoint}`)
      return result
    } catch (error) {
      scope.end()
      await this.#undo(own)
      throw error
    }
  }

  /** What can be asked for without harm, whatever it is that was handed over. */
  async #look(connection: Connection, own: OwnTransaction): Promise<Limits> {
    let row: readonly [string, string, string] | undefined
    try {
      const { rows } = await connection.ask(look, [bounds])
      row = rows[0] as typeof row
    } catch (error) {
      throw isThenceError(error) ? error : notOpen(own, error)
    }
    const [isolation, readOnly, limits] = row!
    if (isolation !== 'read committed')
      throw new ThenceError(
        'CONFIG_INVALID',
        `Your transaction has the isolation level ${isolation}, which does not see what was appended since it began, so ` +
          'nothing was written. Begin it with "read committed".',
      )
    if (readOnly !== 'off')
      throw new ThenceError(
        'STORE_READ_ONLY',
        'Your transaction is read-only; nothing was written.',
      )
    return JSON.parse(limits) as Limits
  }

  async #enter(connection: Connection, own: OwnTransaction): Promise<void> {
    try {
      await connection.ask(`SAVEPOINT ${savepoint}`, [])
    } catch (error) {
      throw notOpen(own, error)
    }
  }

  /** Gives whether no savepoint of ours was open before. */
  async #prepare(
    connection: Connection,
    limits: Limits,
    { alone, timeout }: Required<JoinOptions>,
  ): Promise<boolean> {
    const isFirst = await this.#identify(connection)
    const most = (bound: string): number =>
      bound === 'lock_timeout' ? this.#on.limits.lockTimeout : timeout + grace
    const tighter = bounds.filter((bound) => {
      const limit = limits[bound]
      const isSmaller = limit !== undefined && limit !== '0' && Number(limit) <= most(bound)
      return limit !== undefined && most(bound) !== Infinity && !isSmaller
    })
    if (tighter.length > 0) {
      const values = tighter.map((bound) => String(setting(most(bound))))
      const calls = tighter.map((bound, index) => `set_config('${bound}', $${index + 1}, true)`)
      await connection.run(`SELECT ${calls.join(', ')}`, ...values)
    }
    if (alone) await connection.run(lockWrites)
    return isFirst
  }

  async #identify(connection: Connection): Promise<boolean> {
    let found: readonly [name: string, within: string | null, now: string] | undefined
    try {
      const { rows } = await connection.ask(identify, [])
      found = rows[0] as typeof found
    } catch (error) {
      throw ['42P01', '3F000'].includes(sqlState(error) ?? '') ? foreign(error) : storeError(error)
    }
    if (found?.[0] !== (await this.#on.identity())) throw foreign()
    return found[1] !== 'open'
  }

  async #undo(own: OwnTransaction): Promise<void> {
    try {
      await own.query(`ROLLBACK TO SAVEPOINT ${savepoint}`, [])
      await own.query(`RELEASE SAVEPOINT ${savepoint}`, [])
    } catch {
      // The transaction has ended or cannot go on: nothing of it will be committed.
    }
  }
}
