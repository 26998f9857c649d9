/**
 * The options of an app as they must be, checked where they are given: callers without types are told what to write
 * instead, before anything is opened.
 */
import { ThenceError } from '../errors.ts'
import type { Classify } from '../handle/classify.ts'
import type { Duration } from '../internal/duration.ts'
import { milliseconds } from '../internal/duration.ts'
import type { OptionNames } from '../message/expect.ts'
import {
  expectCount,
  expectFlag,
  expectFunction,
  expectObject,
  expectOneOf,
  expectOptions,
  shown,
  surprise,
} from '../message/expect.ts'
import type { Logger, LogLevel } from '../observe/log.ts'
import { logLevels } from '../observe/log.ts'
import type { Database } from '../ports/database.ts'
import type { Runtime } from '../ports/runtime.ts'
import type { RetentionOptions } from '../retain/policy.ts'
import type { AppendLimits } from '../store/lane.ts'

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

const optionNames: OptionNames<AppOptions> = {
  database: true,
  runtime: true,
  logger: true,
  logLevel: true,
  metrics: true,
  migrate: true,
  freeze: true,
  leaseTime: true,
  classify: true,
  appends: true,
  retention: true,
}
const limitNames: OptionNames<AppendLimits> = { maxInFlight: true, maxBytes: true }

const invalid = (text: string): ThenceError => new ThenceError('CONFIG_INVALID', text)

const has = (value: unknown, methods: readonly string[]): boolean =>
  typeof value === 'object' &&
  value !== null &&
  methods.every((name) => typeof Reflect.get(value, name) === 'function')

const example = 'sqlite({ database: new DatabaseSync(path) }), or memory() in a test'

const checkDatabase = (database: unknown): void => {
  if (has(database, ['open', 'transact', 'read', 'append', 'close'])) return
  if (has(database, ['prepare', 'exec']))
    throw invalid(
      'database of the app is an open connection; give it to its adapter, of thence/sqlite: ' +
        'sqlite({ database: new DatabaseSync(path) }).',
    )
  throw invalid(`database of the app is ${shown(database)}; give ${example}.${surprise(database)}`)
}

const checkLogger = (logger: unknown): void => {
  if (logger === false || has(logger, ['error', 'warn', 'info'])) return
  throw invalid(
    `logger of the app is ${shown(logger)}; give false for silence, or an object with the functions error, warn and info.`,
  )
}

const checkRuntime = (runtime: unknown): void => {
  if (has(runtime, ['now', 'elapsed', 'random', 'id', 'after', 'soon'])) return
  throw invalid(
    `runtime of the app is ${shown(runtime)}; it must have the functions now, elapsed, random, id, after and soon.`,
  )
}

/** Shorter, and a process that only pauses for its garbage would be taken for gone. */
const shortestLease = 1000

/** In milliseconds. @throws CONFIG_INVALID */
export const checkedLeaseTime = (leaseTime: Duration = '5s'): number => {
  const time = milliseconds('leaseTime', leaseTime)
  if (time >= shortestLease) return time
  throw invalid(
    `leaseTime is ${time} ms; give at least ${shortestLease} ms, or processes lose their work to each other at every pause.`,
  )
}

const checkLimits = (limits: AppendLimits): void => {
  expectObject('appends of the app', limits)
  expectOptions('appends of the app', limits, limitNames)
  const { maxInFlight = 1, maxBytes = 1 } = limits
  expectCount('appends.maxInFlight', maxInFlight)
  expectCount('appends.maxBytes', maxBytes)
}

/** @throws CONFIG_INVALID */
export function checkOptions(options: AppOptions): void {
  if (typeof options !== 'object' || options === null)
    throw invalid(`app takes an object with its database: app({ database: ${example} }).`)
  checkDatabase(options.database)
  expectOptions('app', options, optionNames)
  const { runtime, logger, logLevel, metrics, migrate, freeze, classify, appends } = options
  if (runtime !== undefined) checkRuntime(runtime)
  if (logger !== undefined) checkLogger(logger)
  if (logLevel !== undefined) expectOneOf('logLevel of the app', logLevel, logLevels)
  if (metrics !== undefined) expectFlag('metrics of the app', metrics)
  if (migrate !== undefined) expectOneOf('migrate of the app', migrate, ['auto', 'manual'])
  if (freeze !== undefined) expectFlag('freeze of the app', freeze)
  if (classify !== undefined) expectFunction('classify of the app', classify)
  if (appends !== undefined) checkLimits(appends)
  if (options.retention !== undefined) expectObject('retention of the app', options.retention)
  checkedLeaseTime(options.leaseTime)
}
