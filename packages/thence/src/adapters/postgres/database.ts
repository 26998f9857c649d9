/**
 * The PostgreSQL database: one write transaction and one batch of appends at a time in each process, reads beside them, and
 * what it refuses before and after its life.
 */
import { ThenceError } from '../../errors.ts'
import { Inside } from '../../internal/context.ts'
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
import type { AppendRequest, Verdict } from '../../ports/events.ts'
import type { Runtime } from '../../ports/runtime.ts'
import { appendBatch } from './append.ts'
import type { PostgresPool } from './driver.ts'
import { Runner } from './runner.ts'
import { applyMigrations, migrationPlan, storeIdentity } from './schema.ts'
import type { Session } from './scope.ts'
import { checkServer } from './server.ts'
import { Texts } from './texts.ts'
import { PostgresTransaction } from './transaction.ts'

export interface PostgresOptions {
  /** `new Pool({ connectionString, max })` of `pg`, of its own: it is ended with the store. */
  readonly pool: PostgresPool
  /** Where the tables are; made by the first migration if it is not there. Default `thence`. */
  readonly schema?: string
  /** How long a transaction may stay open, in milliseconds; default 30000. */
  readonly transactionTimeout?: number
  /** How long to wait for what another transaction holds, in milliseconds; default 10000. */
  readonly lockTimeout?: number
  /**
   * `on` (default): a server that confirms commits before they are on its disk (`synchronous_commit = off`) is refused.
   * `off`: it is taken as it is, and a crash of the server may take the last commits.
   */
  readonly synchronous?: 'on' | 'off'
  /**
   * Whose time timers, leases and retries go by; default that of the server, so that processes need not agree on theirs.
   * `runtime` is for tests and simulations, whose clock is not the world's.
   */
  readonly clock?: 'database' | 'runtime'
}

const optionNames: OptionNames<PostgresOptions> = {
  pool: true,
  schema: true,
  transactionTimeout: true,
  lockTimeout: true,
  synchronous: true,
  clock: true,
}

/** What `open` makes. */
interface Opened {
  readonly runner: Runner
  readonly session: Session
}

export class PostgresStore implements Database {
  readonly name = 'postgres'
  readonly capabilities: Capabilities = { sql: true, durable: true, shared: true }
  readonly #pool: PostgresPool
  readonly #options: Required<Omit<PostgresOptions, 'pool' | 'schema'>>
  readonly #texts: Texts
  readonly #inside: Inside = new Inside()
  readonly #appends: Gate = new Gate()
  readonly #writes: Gate = new Gate()
  readonly #running = new Set<Promise<unknown>>()
  #opened: Opened | undefined
  #closing: Promise<void> | undefined

  constructor(options: PostgresOptions) {
    this.#pool = poolOf(options)
    expectOptions('postgres', options, optionNames)
    const { transactionTimeout = 30_000, lockTimeout = 10_000 } = options
    const { clock = 'database', synchronous = 'on' } = options
    expectTime('transactionTimeout of postgres', transactionTimeout)
    expectTime('lockTimeout of postgres', lockTimeout)
    expectOneOf('clock of postgres', clock, ['database', 'runtime'])
    expectOneOf('synchronous of postgres', synchronous, ['on', 'off'])
    this.#options = { transactionTimeout, lockTimeout, clock, synchronous }
    this.#texts = new Texts(options.schema ?? 'thence')
    // An idle connection that breaks is replaced by the pool; without a listener it would end the process.
    this.#pool.on('error', () => undefined)
  }

  async open(runtime: Runtime): Promise<void> {
    this.#refuseClosed()
    const { clock, synchronous, ...limits } = this.#options
    const session = { runtime, clock }
    const runner = new Runner(session, { pool: this.#pool, texts: this.#texts, ...limits })
    await runner.read((scope) => checkServer(scope.use(), synchronous))
    this.#opened = { runner, session }
  }

  plan(): Promise<MigrationPlan> {
    return this.#call(({ runner }) => runner.read((scope) => migrationPlan(scope.use())))
  }

  migrate(): Promise<MigrationPlan> {
    return this.#call(({ runner, session }) =>
      this.#writes.run(() => applyMigrations(runner, session)),
    )
  }

  identity(): Promise<string> {
    return this.#call(({ runner }) => runner.read((scope) => storeIdentity(scope.use())))
  }

  append(requests: readonly AppendRequest[]): Promise<readonly Verdict[]> {
    return this.#call(async (opened) => {
      if (requests.length === 0) return []
      return this.#appends.run(() => appendBatch(opened, requests))
    })
  }

  transact<T>(
    work: (transaction: Transaction) => Awaitable<T>,
    options?: TransactOptions,
  ): Promise<T> {
    return this.#call(async ({ runner }) =>
      this.#writes.run(() =>
        runner.write(
          (scope) => this.#inside.run(() => work(new PostgresTransaction(scope))),
          options,
        ),
      ),
    )
  }

  read<T>(work: (transaction: Transaction) => Awaitable<T>): Promise<T> {
    return this.#call(({ runner }) =>
      runner.read((scope) => this.#inside.run(() => work(new PostgresTransaction(scope)))),
    )
  }

  close(): Promise<void> {
    if (this.#closing === undefined) {
      this.#inside.refuse()
      this.#closing = Promise.allSettled(this.#running).then(() => this.#pool.end())
    }
    return this.#closing
  }

  async #call<T>(work: (opened: Opened) => Awaitable<T>): Promise<T> {
    this.#inside.refuse()
    const opened = this.#ready()
    const running = (async () => work(opened))()
    this.#running.add(running)
    try {
      return await running
    } finally {
      this.#running.delete(running)
    }
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

const poolOf = (options: Partial<PostgresOptions> | undefined | null): PostgresPool => {
  const pool = options?.pool
  if (typeof pool?.connect === 'function' && typeof pool.end === 'function') return pool
  throw new ThenceError(
    'CONFIG_INVALID',
    'postgres({ pool }) takes a pool of connections: new Pool({ connectionString }) of pg.',
  )
}
