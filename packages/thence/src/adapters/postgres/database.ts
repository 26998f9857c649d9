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
  JoinOptions,
  MigrationPlan,
  OwnTransaction,
  TransactOptions,
  Transaction,
} from '../../ports/database.ts'
import type { Finding } from '../../ports/diagnosis.ts'
import type { AppendRequest, Verdict } from '../../ports/events.ts'
import type { Listener, Listening } from '../../ports/listening.ts'
import type { Runtime } from '../../ports/runtime.ts'
import { appendBatch } from './append.ts'
import { Bell } from './bell.ts'
import { diagnose } from './diagnosis.ts'
import type { PostgresPool } from './driver.ts'
import { withHolder } from './holders.ts'
import { PostgresListening } from './listening.ts'
import { Joiner } from './own.ts'
import { Patience, Silence } from './patience.ts'
import { grace, Runner } from './runner.ts'
import { applyMigrations, migrationPlan, storeIdentity } from './schema.ts'
import type { Scope, Session } from './scope.ts'
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
   * How long one statement may run, in milliseconds; default 60000. The server ends it then; where the server is silent, the
   * connection is closed five seconds later. `Infinity`: no limit, and a silent server is waited for as long as the operating system does.
   */
  readonly statementTimeout?: number
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
  /**
   * Whether one connection of the pool listens to what other processes append; default true. Where the pool goes through a
   * pooler that hands out connections for a transaction at a time, a pool of its own that goes to the server itself.
   */
  readonly listen?: boolean | PostgresPool
}

const optionNames: OptionNames<PostgresOptions> = {
  pool: true,
  schema: true,
  transactionTimeout: true,
  lockTimeout: true,
  statementTimeout: true,
  synchronous: true,
  clock: true,
  listen: true,
}

/** What `open` makes. */
interface Opened {
  readonly runner: Runner
  readonly session: Session
  readonly bell: Bell
  readonly joiner: Joiner
}

export class PostgresStore implements Database {
  readonly name = 'postgres'
  readonly capabilities: Capabilities = { sql: true, durable: true, shared: true, notifies: true }
  readonly #pool: PostgresPool
  readonly #options: Required<Omit<PostgresOptions, 'pool' | 'schema' | 'listen'>>
  /** From where connections come that listen. */
  readonly #ears: PostgresPool | undefined
  readonly #texts: Texts
  readonly #listening = new Set<PostgresListening>()
  readonly #inside: Inside = new Inside()
  readonly #appends: Gate = new Gate()
  readonly #writes: Gate = new Gate()
  readonly #running = new Set<Promise<unknown>>()
  #opened: Opened | undefined
  #closing: Promise<void> | undefined
  /** It never changes. */
  #identity: string | undefined

  constructor(options: PostgresOptions) {
    this.#pool = poolOf(options)
    expectOptions('postgres', options, optionNames)
    const { transactionTimeout = 30_000, lockTimeout = 10_000 } = options
    const { statementTimeout = 60_000 } = options
    const { clock = 'database', synchronous = 'on' } = options
    expectTime('transactionTimeout of postgres', transactionTimeout)
    expectTime('lockTimeout of postgres', lockTimeout)
    expectTime('statementTimeout of postgres', statementTimeout)
    expectOneOf('clock of postgres', clock, ['database', 'runtime'])
    expectOneOf('synchronous of postgres', synchronous, ['on', 'off'])
    this.#options = { transactionTimeout, lockTimeout, statementTimeout, clock, synchronous }
    this.#ears = earsOf(options)
    this.#texts = new Texts(options.schema ?? 'thence')
    guard(this.#pool)
    if (this.#ears !== undefined && this.#ears !== this.#pool) guard(this.#ears)
  }

  async open(runtime: Runtime): Promise<void> {
    this.#refuseClosed()
    const { clock, synchronous, ...limits } = this.#options
    const session = { runtime, clock }
    const runner = new Runner(session, { pool: this.#pool, texts: this.#texts, ...limits })
    const { named } = await runner.read((scope) => checkServer(scope.use(), synchronous))
    if (!named) runner.nameSessions()
    const bell = new Bell(runtime, (head) => this.#notify(runner, head))
    const joiner = new Joiner({
      session,
      limits: { texts: this.#texts, ...limits },
      identity: async () => (this.#identity ??= await this.identity()),
      inside: this.#inside,
    })
    this.#opened = { runner, session, bell, joiner }
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
      const verdicts = await this.#appends.run(() =>
        told(opened, () => appendBatch(opened, requests)),
      )
      for (const verdict of verdicts)
        if (verdict.outcome === 'appended' && verdict.count > 0) opened.bell.ring(verdict.position)
      return verdicts
    })
  }

  transact<T>(
    work: (transaction: Transaction) => Awaitable<T>,
    options?: TransactOptions,
  ): Promise<T> {
    return this.#call(async (opened) => {
      let used: Scope | undefined
      const inside = (scope: Scope): Awaitable<T> => {
        used = scope
        return this.#inside.run(() => work(new PostgresTransaction(scope)))
      }
      const result = await this.#writes.run(() =>
        told(opened, () => opened.runner.write(inside, options)),
      )
      opened.bell.ring(used?.appended ?? 0)
      return result
    })
  }

  read<T>(work: (transaction: Transaction) => Awaitable<T>): Promise<T> {
    return this.#call(({ runner }) =>
      runner.read((scope) => this.#inside.run(() => work(new PostgresTransaction(scope)))),
    )
  }

  listen(listener: Listener): Listening {
    const { runtime } = this.#ready().session
    const options = { pool: this.#ears, channel: this.#texts.channel, runtime }
    const listening = new PostgresListening(
      { ...options, direct: this.#ears !== this.#pool },
      listener,
    )
    this.#listening.add(listening)
    return listening
  }

  join<T>(
    own: OwnTransaction,
    work: (transaction: Transaction) => Awaitable<T>,
    options: JoinOptions,
  ): Promise<T> {
    return this.#call((opened) => told(opened, () => opened.joiner.join(own, work, options)))
  }

  diagnose(): Promise<readonly Finding[]> {
    return this.#call(({ runner, session }) => diagnose(runner, session))
  }

  close(): Promise<void> {
    if (this.#closing === undefined) {
      this.#inside.refuse()
      this.#closing = this.#close()
    }
    return this.#closing
  }

  async #close(): Promise<void> {
    await Promise.allSettled(this.#running)
    await this.#opened?.bell.close()
    await Promise.all(Array.from(this.#listening, (listening) => listening.stop()))
    if (this.#ears !== this.#pool) await this.#end(this.#ears)
    await this.#end(this.#pool)
  }

  /** A server that is silent does not take its leave either. */
  async #end(pool: PostgresPool | undefined): Promise<void> {
    const runtime = this.#opened?.session.runtime
    if (runtime === undefined) return pool?.end()
    try {
      await new Patience(runtime, grace).run(async () => pool?.end())
    } catch (error) {
      if (!(error instanceof Silence)) throw error
    }
  }

  /** Over a connection that listens anyway, if there is one. */
  async #notify(runner: Runner, head: number): Promise<void> {
    for (const listening of this.#listening) {
      const told = listening.notify(head)
      if (told !== undefined) return void (await told)
    }
    const connection = await runner.connect()
    try {
      await connection.ask('SELECT pg_notify($1, $2)', [this.#texts.channel, String(head)])
      connection.release()
    } catch {
      connection.release(true)
    }
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

/** Runs `work`; if it has waited in vain, its error says for whom. */
const told = async <T>({ runner }: Opened, work: () => Promise<T>): Promise<T> => {
  try {
    return await work()
  } catch (error) {
    throw await withHolder(error, runner)
  }
}

/** A pool of a single connection cannot spare it. */
const earsOf = ({ pool, listen = true }: PostgresOptions): PostgresPool | undefined => {
  if (typeof listen === 'boolean') return listen && pool.options?.max !== 1 ? pool : undefined
  return poolOf({ pool: listen }, 'listen')
}

const ignore = (): void => undefined

/**
 * A connection that breaks is replaced by the pool; without a listener it would end the process. That of the pool is taken from a connection
 * before whoever asked for it is given it, and the end may come in the same packet as the beginning.
 */
const guard = (pool: PostgresPool): void => {
  pool.on('error', ignore)
  pool.on('connect', (client) => client.on('error', ignore))
}

const poolOf = (
  options: Partial<PostgresOptions> | undefined | null,
  name = 'pool',
): PostgresPool => {
  const pool = options?.pool
  if (typeof pool?.connect === 'function' && typeof pool.end === 'function') return pool
  throw new ThenceError(
    'CONFIG_INVALID',
    `postgres({ ${name} }) takes a pool of connections: new Pool({ connectionString }) of pg.`,
  )
}
