/**
 * The PostgreSQL database: one write transaction and one batch of appends at a time in each process, reads beside them, and
 * what it refuses before and after its life.
 */
import { ThenceError } from '../../errors.ts'
import { Inside } from '../../internal/context.ts'
import { Gate } from '../../internal/gate.ts'
import type { Awaitable } from '../../ports/awaitable.ts'
import type {
  Capabilities,
  Database,
  JoinOptions,
  MigrationPlan,
  OwnTransaction,
  ReadOptions,
  TransactOptions,
  Transaction,
} from '../../ports/database.ts'
import type { Copying } from '../../ports/copying.ts'
import type { Finding } from '../../ports/diagnosis.ts'
import type { AppendRequest, Verdict } from '../../ports/events.ts'
import type { Listener, Listening } from '../../ports/listening.ts'
import type { Runtime } from '../../ports/runtime.ts'
import { appendBatch } from './append.ts'
import { Bell } from './bell.ts'
import { postgresCopying } from './copying.ts'
import { diagnose } from './diagnosis.ts'
import type { PostgresPool } from './driver.ts'
import { withHolder } from './holders.ts'
import { learn } from './kept.ts'
import { PostgresListening } from './listening.ts'
import { earsOf, guard, poolOf, settingsOf } from './options.ts'
import type { PostgresOptions, PostgresSettings } from './options.ts'
import { Ordering } from './order.ts'
import { Joiner } from './own.ts'
import { Patience, Silence } from './patience.ts'
import { grace, Runner } from './runner.ts'
import { applyMigrations, migrationPlan, storeIdentity } from './schema.ts'
import type { Scope, Session } from './scope.ts'
import { checkServer } from './server.ts'
import { Texts } from './texts.ts'
import { PostgresTransaction } from './transaction.ts'
import { Views } from './views.ts'

/** What `open` makes. */
interface Opened {
  readonly runner: Runner
  readonly session: Session
  readonly bell: Bell
  readonly joiner: Joiner
}

export class PostgresStore implements Database {
  readonly name = 'postgres'
  readonly capabilities: Capabilities = {
    sql: true,
    durable: true,
    shared: true,
    notifies: true,
    remote: true,
  }
  readonly #pool: PostgresPool
  readonly #options: PostgresSettings
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
    this.#options = settingsOf(options)
    this.#ears = earsOf(options)
    this.#texts = new Texts(options.schema ?? 'thence', options.views)
    guard(this.#pool)
    if (this.#ears !== undefined && this.#ears !== this.#pool) guard(this.#ears)
  }

  async open(runtime: Runtime): Promise<void> {
    this.#refuseClosed()
    const { clock, synchronous, order, views, ...limits } = this.#options
    const ordering = new Ordering(order)
    const session = { runtime, clock, ordering, views: new Views(views) }
    const runner = new Runner(session, { pool: this.#pool, texts: this.#texts, ...limits })
    const { named } = await runner.read((scope) => checkServer(scope.use(), synchronous))
    if (!named) runner.nameSessions()
    const bell = new Bell(runtime, (...heads) => this.#notify({ runner, session }, heads))
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
    return this.#work(async (opened) => {
      if (requests.length === 0) return []
      const verdicts = await this.#appends.run(() =>
        told(opened, () => appendBatch(opened, requests)),
      )
      ring(opened, lastOf(verdicts))
      return verdicts
    })
  }

  transact<T>(
    work: (transaction: Transaction) => Awaitable<T>,
    options?: TransactOptions,
  ): Promise<T> {
    return this.#work(async (opened) => {
      let used: Scope | undefined
      const inside = (scope: Scope): Awaitable<T> => {
        used = scope
        return this.#inside.run(() => work(new PostgresTransaction(scope)))
      }
      const result = await this.#writes.run(() =>
        told(opened, () => opened.runner.write(inside, options)),
      )
      ring(opened, used?.appended ?? 0)
      return result
    })
  }

  read<T>(
    work: (transaction: Transaction) => Awaitable<T>,
    { apart }: ReadOptions = {},
  ): Promise<T> {
    return this.#work(({ runner }) =>
      runner.read((scope) => this.#inside.run(() => work(new PostgresTransaction(scope))), apart),
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
    return this.#work((opened) => told(opened, () => opened.joiner.join(own, work, options)))
  }

  diagnose(): Promise<readonly Finding[]> {
    return this.#call(({ runner, session }) => diagnose(runner, session))
  }

  copying(): Copying {
    return postgresCopying({
      read: (work) => this.#work(({ runner }) => runner.read(work)),
      write: (work, options) =>
        this.#work((opened) =>
          this.#writes.run(() => told(opened, () => opened.runner.write(work, options))),
        ),
      ask: (work) => this.#call(({ runner }) => runner.read(work)),
      learn: (connection) => learn(this.#ready().session, connection),
    })
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
  async #notify(
    { runner, session }: Pick<Opened, 'runner' | 'session'>,
    [head, told]: readonly [number, number],
  ): Promise<number> {
    const { ordering } = session
    for (const listening of ordering.concurrent ? [] : this.#listening) {
      const sent = listening.notify(head)
      if (sent === undefined) continue
      await sent
      return head
    }
    const connection = await runner.connect()
    try {
      const [text, ...values] = ordering.telling(this.#texts.channel, head, told)
      const { rows } = await connection.ask(text, values)
      connection.release()
      return (rows[0] as [number])[0]
    } catch {
      connection.release(true)
      return head
    }
  }

  /** What is done with the log, as soon as the order of the store is known. */
  #work<T>(work: (opened: Opened) => Awaitable<T>): Promise<T> {
    return this.#call(async (opened) => {
      const { runner, session } = opened
      if (!session.ordering.isKnown) await runner.read((scope) => learn(session, scope.use()))
      return work(opened)
    })
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

/** The last position that was written; 0: none. */
const lastOf = (verdicts: readonly Verdict[]): number =>
  verdicts.reduce(
    (last, verdict) =>
      verdict.outcome === 'appended' && verdict.count > 0 ? Math.max(last, verdict.position) : last,
    0,
  )

/** Others are told that the log has grown. */
const ring = ({ bell }: Opened, position: number): void => {
  if (position > 0) bell.ring(position)
}

/** Runs `work`; if it has waited in vain, its error says for whom. */
const told = async <T>({ runner }: Opened, work: () => Promise<T>): Promise<T> => {
  try {
    return await work()
  } catch (error) {
    throw await withHolder(error, runner)
  }
}
