/**
 * The app: definitions put together, started on a database, and asked to do things.
 */
import { commandDoor } from './commands.ts'
import { askProjection } from './ask.ts'
import { Snapshots } from '../decide/snapshot.ts'
import { ThenceError } from '../errors.ts'
import type { HandlerFunction, HandlerOptions } from '../handle/handler.ts'
import type { CommandTypeOf } from '../handle/handler.ts'
import { handler } from '../handle/handler.ts'
import { isProduction } from '../internal/environment.ts'
import { Codec } from '../message/codec.ts'
import type { AnyDefinition } from '../message/define.ts'
import type { CommandMessage, EventMessage, Recorded } from '../message/message.ts'
import { checkName } from '../message/name.ts'
import type { QueryMessage } from '../message/query.ts'
import type { Logger } from '../observe/log.ts'
import { logTo } from '../observe/log.ts'
import type { Listener } from '../observe/signals.ts'
import { Signals } from '../observe/signals.ts'
import type { Database } from '../ports/database.ts'
import type { AppendCondition, Expected, ReadAll } from '../ports/events.ts'
import type { Runtime } from '../ports/runtime.ts'
import { inlineHook } from '../project/inline.ts'
import type { ReadStreamOptions } from '../store/store.ts'
import { Store } from '../store/store.ts'
import type { AppendResult } from '../store/writer.ts'
import type { AskOptions } from './ask.ts'
import { Engine } from './engine.ts'
import type { CommandsOf, Part, Parts, QueriesOf } from './parts.ts'
import { assemble } from './parts.ts'
import type { RebuildProgress } from './rebuild.ts'
import { rebuildProjection } from './rebuild.ts'
import { systemRuntime } from './system-runtime.ts'

export interface AppOptions {
  /** Where everything is kept: `sqlite({ database })`, `memory()` … */
  readonly database: Database
  /** Time, chance and ids; default: those of the system. */
  readonly runtime?: Runtime
  /** Told what failed; `false` for silence. Default: `console`. */
  readonly logger?: Logger | false
  /** `auto` (default) brings the store up to date at the start; `manual` refuses to start on an old one. */
  readonly migrate?: 'auto' | 'manual'
  /** Whether recorded messages are deeply frozen. Default: unless `NODE_ENV` is `production`. */
  readonly freeze?: boolean
}

/** A direct append, without an aggregate. */
export interface AppendOptions {
  /** Default: the stream `log`. */
  readonly stream?: string
  readonly expected?: Expected
  readonly condition?: AppendCondition
  readonly events: EventMessage | readonly EventMessage[]
}

export interface StopOptions {
  /** Milliseconds to finish what is in hand; then it is aborted and will be done again. Default 10,000. */
  readonly deadline?: number
}

/**
 * An app being put together. `C` names the commands it takes and `Q` the queries it answers, so that sending anything
 * else is a compile error.
 */
export class AppBuilder<C extends string = never, Q extends string = never> {
  readonly #options: AppOptions
  readonly #parts: readonly Part[]
  readonly #definitions: readonly AnyDefinition[]

  constructor(
    options: AppOptions,
    parts: readonly Part[] = [],
    definitions: readonly AnyDefinition[] = [],
  ) {
    this.#options = options
    this.#parts = parts
    this.#definitions = definitions
  }

  /** Adds aggregates, projections, sagas and handlers. */
  use<P extends readonly Part[]>(
    ...parts: P
  ): AppBuilder<C | CommandsOf<P[number]>, Q | QueriesOf<P[number]>> {
    return new AppBuilder(this.#options, [...this.#parts, ...parts], this.#definitions)
  }

  /** Adds a handler; the same as `use(handler(…))`. */
  handle<D extends AnyDefinition>(
    name: string,
    definitions: D | readonly D[],
    handle: HandlerFunction<D> | HandlerOptions<D>,
  ): AppBuilder<C | CommandTypeOf<D>, Q> {
    return new AppBuilder(
      this.#options,
      [...this.#parts, handler(name, definitions, handle)],
      this.#definitions,
    )
  }

  /** Makes messages known that no part names, for direct appends and for commands that sagas write in functions. */
  messages(...definitions: readonly AnyDefinition[]): AppBuilder<C, Q> {
    return new AppBuilder(this.#options, this.#parts, [...this.#definitions, ...definitions])
  }

  /**
   * Opens the database, brings it up to date and starts everything.
   * @throws NAME_TAKEN, CONFIG_INVALID, CAPABILITY_MISSING, STORE_…
   */
  async start(): Promise<App<C, Q>> {
    const parts = assemble(this.#parts, this.#definitions)
    const { database, runtime = systemRuntime(), migrate = 'auto' } = this.#options
    checkCapabilities(parts, database)
    await database.open(runtime)
    try {
      await prepareSchema(database, migrate)
      const signals = new Signals()
      const { logger = console, freeze = !isProduction() } = this.#options
      if (logger !== false) signals.listen(logTo(logger))
      const codec = new Codec(parts.registry, freeze)
      const inline = inlineHook(parts.projections.filter((one) => one.inline))
      const store = new Store(database, { registry: parts.registry, codec, runtime }, inline)
      const running = new App<C, Q>(parts, store, signals)
      await running.begin()
      return running
    } catch (error) {
      await database.close()
      throw error
    }
  }
}

const checkCapabilities = ({ projections }: Parts, { capabilities, name }: Database): void => {
  const wanting = projections.find(({ view }) => view.kind === 'tables')
  if (wanting === undefined || capabilities.sql) return
  throw new ThenceError(
    'CAPABILITY_MISSING',
    `Projection ${wanting.name} keeps tables, but the ${name} adapter has no SQL. ` +
      "Use documents(), or sqlite({ database: new DatabaseSync(':memory:') }).",
  )
}

const prepareSchema = async (database: Database, migrate: 'auto' | 'manual'): Promise<void> => {
  const { pending } = await database.plan()
  if (pending.length === 0) return
  if (migrate === 'auto') return void (await database.migrate())
  throw new ThenceError(
    'STORE_NOT_MIGRATED',
    `The store lacks ${pending.length} migrations (${pending.map((one) => one.name).join(', ')}). Run: thence migrate`,
  )
}

/** A running app. Get one by `app(…).start()`; end it by `stop()` or `await using`. */
export class App<C extends string = string, Q extends string = string> implements AsyncDisposable {
  readonly #parts: Parts
  readonly #store: Store
  readonly #signals: Signals
  readonly #engine: Engine
  readonly #snapshots: Snapshots
  #stopping: Promise<void> | undefined

  /** @internal */
  constructor(parts: Parts, store: Store, signals: Signals) {
    this.#parts = parts
    this.#store = store
    this.#signals = signals
    this.#engine = new Engine(parts, store, signals)
    this.#snapshots = new Snapshots(store, signals)
  }

  /** The database it runs on, for inspection and operation (`thence/admin`). */
  get database(): Database {
    return this.#store.database
  }

  /** @internal */
  async begin(): Promise<void> {
    await this.#store.transact(async ({ transaction }) => {
      for (const part of allParts(this.#parts))
        await transaction.documents.put('$parts', part.name, JSON.stringify(part))
    })
    await this.#engine.start()
  }

  /**
   * Sends a command. If an aggregate decides it, this resolves when its events are committed, and gives them; if a
   * handler does it, when the command is recorded. With an `id` of your own, sending it again has no further effect
   * and gives the first result.
   * @throws SCHEMA_INVALID, VALUE_NOT_STORABLE, REJECTED, VERSION_CONFLICT (after 10 tries), STORE_…
   */
  async send<Type extends C>(command: CommandMessage<Type>): Promise<AppendResult> {
    this.#checkRunning()
    return commandDoor(command, {
      store: this.#store,
      deciders: this.#parts.deciders,
      snapshots: this.#snapshots,
    })
  }

  /**
   * Asks a query. With `after` (a position that `send` or `append` gave) the answer includes everything up to there.
   * @throws QUERY_TIMEOUT, SCHEMA_INVALID
   */
  async ask<Type extends Q, Answer>(
    query: QueryMessage<Type, unknown, Answer>,
    options: AskOptions = {},
  ): Promise<Answer> {
    this.#checkRunning()
    const asking = { store: this.#store, engine: this.#engine, answerers: this.#parts.answerers }
    return askProjection(query, asking, options) as Promise<Answer>
  }

  /**
   * Appends events directly.
   * @throws VERSION_CONFLICT, CONDITION_FAILED, MESSAGE_ID_REUSED, MESSAGE_UNKNOWN, SCHEMA_INVALID, STORE_…
   */
  async append({ stream = 'log', events, ...rest }: AppendOptions): Promise<AppendResult> {
    this.#checkRunning()
    checkName('The stream', stream)
    const messages = Array.isArray(events)
      ? (events as readonly EventMessage[])
      : [events as EventMessage]
    return this.#store.append({ stream, messages, ...rest })
  }

  /** The messages of one stream, by version. */
  stream(name: string, options: ReadStreamOptions = {}): AsyncIterable<Recorded> {
    return this.#store.readStream(name, options)
  }

  /** The messages of the log, by position, up to its present end. */
  log(options: Omit<ReadAll, 'limit'> & { readonly limit?: number } = {}): AsyncIterable<Recorded> {
    return this.#store.readAll(options)
  }

  /**
   * Resolves when everything that has happened so far has had all its consequences: every subscription is at the end
   * of the log and no failed message waits for its next attempt. Parked messages and future timers are not waited for.
   */
  whenIdle(options: { readonly signal?: AbortSignal } = {}): Promise<void> {
    return this.#engine.idle(options.signal)
  }

  /**
   * Builds a projection's view anew from the log. A following view answers no query until it has caught up; an inline
   * one is built in one transaction. Resolves when it is complete.
   */
  rebuild(
    projection: string,
    options: {
      readonly onProgress?: (progress: RebuildProgress) => void
      readonly signal?: AbortSignal
    } = {},
  ): Promise<void> {
    this.#checkRunning()
    return rebuildProjection(projection, { engine: this.#engine, parts: this.#parts }, options)
  }

  /** Calls `listener` with every signal; returns how to stop that. */
  listen(listener: Listener): () => void {
    return this.#signals.listen(listener)
  }

  /** Looks at once for what an operator or another process did, instead of at the next poll. */
  wake(): void {
    this.#engine.look()
  }

  /** Begins nothing new, finishes what is in hand, closes the database. Calling it again waits for the same end. */
  stop({ deadline = 10_000 }: StopOptions = {}): Promise<void> {
    this.#stopping ??= this.#stop(deadline)
    return this.#stopping
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop()
  }

  async #stop(deadline: number): Promise<void> {
    const late = Promise.withResolvers<void>()
    const cancel = this.#store.tools.runtime.after(deadline, late.resolve)
    await this.#engine.stop(late.promise)
    cancel()
    await this.#snapshots.drain()
    await this.#store.database.close()
  }

  #checkRunning(): void {
    if (this.#stopping !== undefined || this.#engine.stopped)
      throw new ThenceError('APP_STOPPED', 'The app was stopped; start a new one.')
  }
}

const allParts = ({ aggregates, projections, sagas, handlers }: Parts): readonly PartRecord[] =>
  [...aggregates, ...projections, ...sagas, ...handlers].map(({ name, part, ...rest }) => ({
    name,
    part,
    inline: 'inline' in rest && rest.inline,
  }))

/** What the store knows of an app's parts, so that tools without its code can name them. */
export interface PartRecord {
  readonly name: string
  readonly part: Part['part']
  readonly inline: boolean
}

/** Begins to put an app together. */
export function app(options: AppOptions): AppBuilder {
  return new AppBuilder(options)
}
