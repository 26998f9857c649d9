/**
 * The SQLite database: one connection, one transaction at a time, and what it refuses before and after its life.
 */
import { isThenceError, ThenceError } from '../../errors.ts'
import { Gate } from '../../internal/gate.ts'
import type { OptionNames } from '../../message/expect.ts'
import { expectOneOf, expectOptions, expectTime } from '../../message/expect.ts'
import type { Awaitable } from '../../ports/awaitable.ts'
import type {
  Capabilities,
  Database,
  MigrationPlan,
  TransactOptions,
  Transaction,
} from '../../ports/database.ts'
import type { Copying } from '../../ports/copying.ts'
import type { Finding } from '../../ports/diagnosis.ts'
import type { AppendRequest, Verdict } from '../../ports/events.ts'
import type { Runtime } from '../../ports/runtime.ts'
import { Appender } from './append.ts'
import { Connection } from './connection.ts'
import { sqliteCopying } from './copying.ts'
import type { SqliteDatabase } from './driver.ts'
import { after, promised } from './later.ts'
import { diagnose } from './diagnosis.ts'
import { Patience } from './patience.ts'
import { Runner } from './runner.ts'
import { applyMigrations, currentMigration, migrationPlan, storeIdentity } from './schema.ts'
import { Tail } from './tail.ts'
import { SqliteTransaction } from './transaction.ts'

export interface SqliteOptions {
  /** An open connection of its own: `new DatabaseSync(path)` or better-sqlite3's `new Database(path)`. */
  readonly database: SqliteDatabase
  /** How long a transaction may stay open, in milliseconds; default 30000. */
  readonly transactionTimeout?: number
  /** How long to wait for another process's write lock, in milliseconds; default 5000. */
  readonly busyTimeout?: number
  /**
   * `full` (default): a commit survives a power cut. `normal`: a power cut may take the last commits. `off`: it may
   * damage the file.
   */
  readonly synchronous?: 'full' | 'normal' | 'off'
}

const optionNames: OptionNames<SqliteOptions> = {
  database: true,
  transactionTimeout: true,
  busyTimeout: true,
  synchronous: true,
}

/** What `open` makes. */
interface Opened {
  readonly runtime: Runtime
  readonly patience: Patience
  readonly runner: Runner
}

/** Names and files; unlike the function of the same name it does not touch the file. */
const files = 'PRAGMA database_list'

export class SqliteStore implements Database {
  readonly name = 'sqlite'
  readonly capabilities: Capabilities
  readonly #connection: Connection
  readonly #options: Required<Omit<SqliteOptions, 'database'>>
  readonly #tail: Tail = new Tail()
  readonly #gate: Gate = new Gate()
  #opened: Opened | undefined
  #closing: Promise<void> | undefined

  constructor(options: SqliteOptions) {
    const database = connectionOf(options)
    expectOptions('sqlite', options, optionNames)
    const { transactionTimeout = 30_000, busyTimeout = 5000, synchronous = 'full' } = options
    expectOneOf('synchronous of sqlite', synchronous, ['full', 'normal', 'off'])
    expectTime('transactionTimeout of sqlite', transactionTimeout)
    expectTime('busyTimeout of sqlite', busyTimeout)
    this.#options = { transactionTimeout, busyTimeout, synchronous }
    this.#connection = new Connection(database)
    const main = this.#connection
      .all<[number, string, string | null]>(files)
      .find((row) => row[1] === 'main')
    const inMemory = (main?.[2] ?? '') === ''
    this.capabilities = {
      sql: true,
      durable: !inMemory,
      shared: !inMemory,
      notifies: false,
      remote: false,
    }
  }

  open(runtime: Runtime): Awaitable<void> {
    this.#refuseClosed()
    const connection = this.#connection
    const { busyTimeout, synchronous, transactionTimeout } = this.#options
    const patience = new Patience(runtime, busyTimeout)
    const session = { connection, runtime, tail: this.#tail }
    const checked = patience.run(() => {
      // Waiting is ours (see Patience): SQLite's own would block the event loop.
      connection.exec(`PRAGMA busy_timeout = 0; PRAGMA synchronous = ${synchronous}`)
      checkEncoding(connection)
      // A file that is another application's is not changed before someone migrates it.
      if (currentMigration(connection) > 0) useWal(connection)
    })
    return after(checked, () => {
      this.#opened = {
        runtime,
        patience,
        runner: new Runner(session, patience, transactionTimeout),
      }
    })
  }

  plan(): Awaitable<MigrationPlan> {
    const { patience } = this.#ready()
    return this.#gate.run(() => patience.run(() => migrationPlan(this.#connection)))
  }

  migrate(): Promise<MigrationPlan> {
    return promised(() => {
      const opened = this.#ready()
      return this.#gate.run(() => this.#migrate(opened))
    })
  }

  identity(): Promise<string> {
    return promised(() => {
      const { patience } = this.#ready()
      return this.#gate.run(() => patience.run(() => storeIdentity(this.#connection)))
    })
  }

  append(requests: readonly AppendRequest[]): Promise<readonly Verdict[]> {
    return promised(() => {
      const { runner } = this.#ready()
      if (requests.length === 0) return []
      return this.#gate.run(() =>
        runner.write((scope) => {
          const appender = new Appender(scope.use(), scope)
          return requests.map((request) => appender.append(request))
        }),
      )
    })
  }

  transact<T>(
    work: (transaction: Transaction) => Awaitable<T>,
    options?: TransactOptions,
  ): Promise<T> {
    return promised(() => {
      const { runner } = this.#ready()
      return this.#gate.run(() =>
        runner.write((scope) => work(new SqliteTransaction(scope)), options),
      )
    })
  }

  read<T>(work: (transaction: Transaction) => Awaitable<T>): Promise<T> {
    return promised(() => {
      const { runner } = this.#ready()
      return this.#gate.run(() => runner.read((scope) => work(new SqliteTransaction(scope))))
    })
  }

  diagnose(): Promise<readonly Finding[]> {
    return promised(() => {
      const { patience } = this.#ready()
      return this.#gate.run(() => patience.run(() => diagnose(this.#connection)))
    })
  }

  copying(): Copying {
    return sqliteCopying({
      read: (work) => promised(() => this.#gate.run(() => this.#ready().runner.read(work))),
      write: (work, options) =>
        promised(() => this.#gate.run(() => this.#ready().runner.write(work, options))),
    })
  }

  close(): Promise<void> {
    if (this.#closing !== undefined) return this.#closing
    return promised(() => {
      // Throws, and closes nothing, if it is called from inside a transaction.
      const closing = this.#gate.run(() => this.#connection.close())
      this.#closing = Promise.resolve(closing)
      return closing
    })
  }

  async #migrate({ patience, runner, runtime }: Opened): Promise<MigrationPlan> {
    const connection = this.#connection
    const plan = await patience.run(() => migrationPlan(connection))
    if (plan.pending.length === 0) return plan
    const mode = await patience.run(() => useWal(connection))
    return runner.write(() => {
      const done = applyMigrations(connection, runtime)
      refuseWithoutWal(mode)
      return done
    })
  }

  #refuseClosed(): void {
    if (this.#closing !== undefined) throw new ThenceError('STORE_CLOSED', 'The store was closed.')
  }

  #ready(): Opened {
    this.#refuseClosed()
    if (this.#opened === undefined)
      throw new ThenceError(
        'STATE_INVALID',
        'The store is not open yet. Await its open(runtime) first.',
      )
    return this.#opened
  }
}

const connectionOf = (options: Partial<SqliteOptions> | undefined | null): SqliteDatabase => {
  const database = options?.database
  if (typeof database?.prepare === 'function' && typeof database.exec === 'function')
    return database
  throw new ThenceError(
    'CONFIG_INVALID',
    'sqlite({ database }) takes an open connection: new DatabaseSync(path) of node:sqlite, or one of better-sqlite3.',
  )
}

const checkEncoding = (connection: Connection): void => {
  const encoding = connection.get<[string]>('PRAGMA encoding')?.[0]
  if (encoding !== 'UTF-8')
    throw new ThenceError(
      'CONFIG_INVALID',
      `The store file is encoded as ${encoding}; keys would be in another order. Use a UTF-8 file.`,
    )
}

/** Sets WAL if it can be; a database in memory has another mode, and a file that is read-only keeps its own. */
const useWal = (connection: Connection): string | undefined => {
  try {
    return connection.get<[string]>('PRAGMA journal_mode = WAL')?.[0]
  } catch (error) {
    if (isThenceError(error, 'STORE_READ_ONLY')) return undefined
    throw error
  }
}

const refuseWithoutWal = (mode: string | undefined): void => {
  if (mode === 'wal' || mode === 'memory') return
  throw new ThenceError(
    'CONFIG_INVALID',
    `The file system of the store has no write-ahead log: SQLite stays in mode ${mode}. Use a local disk.`,
  )
}
