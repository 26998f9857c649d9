/**
 * Putting an app together from its parts, and starting it on a database.
 */
import { ThenceError } from '../errors.ts'
import type { CommandTypeOf, HandlerFunction, HandlerOptions } from '../handle/handler.ts'
import { handler } from '../handle/handler.ts'
import { isProduction } from '../internal/environment.ts'
import { Codec } from '../message/codec.ts'
import type { AnyDefinition } from '../message/define.ts'
import { expectDefinition } from '../message/expect.ts'
import { logTo } from '../observe/log.ts'
import { Meter } from '../observe/metrics.ts'
import { Signals } from '../observe/signals.ts'
import type { Database } from '../ports/database.ts'
import { inlineHook } from '../project/inline.ts'
import { Store } from '../store/store.ts'
import { Tokens } from '../store/token.ts'
import { App } from './app.ts'
import type { CommandsOf, Part, Parts, QueriesOf } from './parts.ts'
import type { AppOptions } from './options.ts'
import { checkedLeaseTime, checkOptions } from './options.ts'
import { assemble, checkPart } from './parts.ts'
import { retentionFor } from './retention.ts'
import { systemRuntime } from './system-runtime.ts'
import { watchOf } from './watch.ts'

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

  /** Adds aggregates, projections, sagas, handlers and schedules. @throws CONFIG_INVALID for what is none of them */
  use<P extends readonly Part[]>(
    ...parts: P
  ): AppBuilder<C | CommandsOf<P[number]>, Q | QueriesOf<P[number]>> {
    for (const part of parts) checkPart(part)
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

  /** Makes events known that no part names, for direct appends. A command also needs a part that takes it. */
  messages(...definitions: readonly AnyDefinition[]): AppBuilder<C, Q> {
    for (const definition of definitions) expectDefinition('messages', definition)
    return new AppBuilder(this.#options, this.#parts, [...this.#definitions, ...definitions])
  }

  /**
   * Opens the database, brings it up to date and starts everything.
   * @throws NAME_TAKEN, CONFIG_INVALID, CAPABILITY_MISSING, STATE_INVALID (a `keyVersion` that cannot change now), STORE_…
   */
  async start(): Promise<App<C, Q>> {
    const parts = assemble(this.#parts, this.#definitions)
    const { database, runtime = systemRuntime(), migrate = 'auto' } = this.#options
    checkCapabilities(parts, database)
    const { appends } = this.#options
    const leaseTime = checkedLeaseTime(this.#options.leaseTime)
    const retention = this.#options.retention && retentionFor(this.#options.retention, parts)
    await database.open(runtime)
    try {
      await prepareSchema(database, migrate)
      const signals = new Signals(runtime)
      const { logger = console, freeze = !isProduction(), metrics = true, classify } = this.#options
      if (logger !== false) signals.listen(logTo(logger, this.#options.logLevel, signals.outage))
      const codec = new Codec(parts.registry, freeze)
      const inline = inlineHook(parts.projections.filter((one) => one.inline))
      const { registry } = parts
      const watch = watchOf(signals)
      const tokens = new Tokens(await database.identity())
      const tools = { registry, codec, runtime, tokens, watch, appends }
      const store = new Store(database, tools, inline)
      // Without metrics, the meter hears nothing.
      const meter = new Meter(metrics ? signals : new Signals(runtime), runtime)
      const running = new App<C, Q>(parts, store, {
        signals,
        meter,
        reports: metrics,
        leaseTime,
        classify,
        retention,
      })
      await running.begin()
      return running
    } catch (error) {
      // Why it did not start matters more than why it did not close.
      await database.close().catch(() => undefined)
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

/** Begins to put an app together. @throws CONFIG_INVALID */
export function app(options: AppOptions): AppBuilder {
  checkOptions(options)
  return new AppBuilder(options)
}
