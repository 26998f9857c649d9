/**
 * Putting an app together from its parts, and starting it on a database.
 */
import { ThenceError } from '../errors.ts'
import type { Classify } from '../handle/classify.ts'
import type { CommandTypeOf, HandlerFunction, HandlerOptions } from '../handle/handler.ts'
import { handler } from '../handle/handler.ts'
import type { Duration } from '../internal/duration.ts'
import { milliseconds } from '../internal/duration.ts'
import { isCount } from '../internal/count.ts'
import { isProduction } from '../internal/environment.ts'
import { Codec } from '../message/codec.ts'
import type { AnyDefinition } from '../message/define.ts'
import type { Logger, LogLevel } from '../observe/log.ts'
import { logTo } from '../observe/log.ts'
import { Meter } from '../observe/metrics.ts'
import { Signals } from '../observe/signals.ts'
import type { Database } from '../ports/database.ts'
import type { Runtime } from '../ports/runtime.ts'
import type { RetentionOptions } from '../retain/policy.ts'
import { inlineHook } from '../project/inline.ts'
import type { AppendLimits } from '../store/lane.ts'
import { Store } from '../store/store.ts'
import { Tokens } from '../store/token.ts'
import { App } from './app.ts'
import type { CommandsOf, Part, Parts, QueriesOf } from './parts.ts'
import { assemble } from './parts.ts'
import { retentionFor } from './retention.ts'
import { systemRuntime } from './system-runtime.ts'
import { watchOf } from './watch.ts'

export interface AppOptions {
  /** Where everything is kept: `sqlite({ database })`, `memory()` … */
  readonly database: Database
  /** Time, chance and ids; default: those of the system. */
  readonly runtime?: Runtime
  /** Told what failed; `false` for silence. Default: `console`. */
  readonly logger?: Logger | false
  /** How much of it: `error`, `warn`, `info` (default) or `debug`, each with what is graver. */
  readonly logLevel?: LogLevel
  /** Whether it counts and measures what it does; default: true. If not, `app.metrics()` gives zeros. */
  readonly metrics?: boolean
  /** `auto` (default) brings the store up to date at the start; `manual` refuses to start on an old one. */
  readonly migrate?: 'auto' | 'manual'
  /** Whether recorded messages are deeply frozen. Default: unless `NODE_ENV` is `production`. */
  readonly freeze?: boolean
  /**
   * How long this process counts as alive after others have last heard of it: so long it may take until they take over
   * what it ran when it hangs or its machine is gone. One that ended on the same machine is noticed at once. Default 5 s.
   */
  readonly leaseTime?: Duration
  /**
   * What kind of failure an error stands for, in every subscription; a handler's own rule is asked first. `undefined`
   * leaves it to the default: `retryable: false` is permanent, TypeError and its like are bugs, all else is transient.
   */
  readonly classify?: Classify
  /** How much may wait for its commit in this process; what is over is refused with STORE_OVERLOADED. */
  readonly appends?: AppendLimits
  /** How long what is kept; default: everything for ever. */
  readonly retention?: RetentionOptions
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

  /** Makes events known that no part names, for direct appends. A command also needs a part that takes it. */
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
    const appends = checkedLimits(this.#options.appends)
    const leaseTime = checkedLeaseTime(this.#options.leaseTime)
    const retention = this.#options.retention && retentionFor(this.#options.retention, parts)
    await database.open(runtime)
    try {
      await prepareSchema(database, migrate)
      const signals = new Signals()
      const { logger = console, freeze = !isProduction(), metrics = true, classify } = this.#options
      if (logger !== false) signals.listen(logTo(logger, this.#options.logLevel))
      const codec = new Codec(parts.registry, freeze)
      const inline = inlineHook(parts.projections.filter((one) => one.inline))
      const { registry } = parts
      const watch = watchOf(signals)
      const tokens = new Tokens(await database.identity())
      const tools = { registry, codec, runtime, tokens, watch, appends }
      const store = new Store(database, tools, inline)
      // Without metrics, the meter hears nothing.
      const meter = new Meter(metrics ? signals : new Signals(), runtime)
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

/** Shorter, and a process that only pauses for its garbage would be taken for gone. */
const shortestLease = 1000

const checkedLeaseTime = (leaseTime: Duration = '5s'): number => {
  const time = milliseconds('leaseTime', leaseTime)
  if (time >= shortestLease) return time
  throw new ThenceError(
    'CONFIG_INVALID',
    `leaseTime is ${time} ms; give at least ${shortestLease} ms, or processes lose their work to each other at every pause.`,
  )
}

const checkedLimits = (limits: AppendLimits = {}): AppendLimits => {
  const { maxInFlight = 1, maxBytes = 1 } = limits
  if (isCount(maxInFlight) && isCount(maxBytes)) return limits
  throw new ThenceError(
    'CONFIG_INVALID',
    'appends.maxInFlight and appends.maxBytes must be whole numbers of at least 1.',
  )
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

/** Begins to put an app together. */
export function app(options: AppOptions): AppBuilder {
  return new AppBuilder(options)
}
