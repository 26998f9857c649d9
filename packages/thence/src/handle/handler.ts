/**
 * Handlers: work for a message that touches the world outside the store. What they ask of the store commits with their
 * checkpoint; what they do outside happens at least once, with the same message id on every attempt.
 */
import { ThenceError } from '../errors.ts'
import { isCount } from '../internal/count.ts'
import type { Duration } from '../internal/duration.ts'
import { milliseconds } from '../internal/duration.ts'
import type { AnyDefinition, DataOf } from '../message/define.ts'
import type { OptionNames } from '../message/expect.ts'
import {
  expectDefinition,
  expectFunction,
  expectObject,
  expectOneOf,
  expectOptions,
} from '../message/expect.ts'
import type { Recorded } from '../message/message.ts'
import { checkName } from '../message/name.ts'
import type { BreakerOptions, BreakerPolicy } from './breaker.ts'
import { breakerPolicy } from './breaker.ts'
import type { Classify } from './classify.ts'
import type { HandlerContext } from './context.ts'
import type { FailurePolicy } from './failure-policy.ts'
import { failurePolicy } from './failure-policy.ts'
import type { Rate, RateOptions } from './rate.ts'
import { ratePolicy } from './rate.ts'
import { checkKeyVersion, checkPartitions } from '../message/partitions.ts'
import type { RetryOptions, RetryPolicy } from './retry.ts'
import { retryPolicy } from './retry.ts'

/** What handlers of definition `D` are given. */
export type RecordedOf<D extends AnyDefinition> = D extends AnyDefinition
  ? Recorded<D['type'], DataOf<D>>
  : never

export type HandlerFunction<D extends AnyDefinition> = (
  message: RecordedOf<D>,
  context: HandlerContext,
) => Promise<void> | void

/** Why history may be given to a handler again; see `replay` of its options. */
export type ReplayMode = 'idempotent' | 'marked'

/** A handler that says more than what to do. */
export interface HandlerOptions<D extends AnyDefinition> {
  readonly run: HandlerFunction<D>
  /** Messages with the same key are handled in order, and only they wait for one that failed. Default: the stream. */
  readonly key?: (message: RecordedOf<D>) => string
  /**
   * Give another one when `key` gives another key for any message, also when it comes or goes. The app starts with it once
   * nothing depends on the old key, and not before; processes of the old version then do not run the handler. Default 1.
   */
  readonly keyVersion?: number
  readonly retry?: RetryOptions
  /** What kind of failure an error stands for; `undefined` leaves it to the app's rule, and then to the default. */
  readonly classify?: Classify
  /** What becomes of a message that is given up, and of what comes after it. Default `park-key`. */
  readonly onFailure?: FailurePolicy
  /** Begins nothing while what it calls is out of order; `true`: as the defaults say. Default: no breaker. */
  readonly breaker?: BreakerOptions | true
  /** How many attempts may begin in any stretch of time in one process, retries among them. Default: no limit. */
  readonly rate?: RateOptions
  /**
   * That history may be given to it again, by a replay. `idempotent`: doing a message once more changes nothing. `marked`:
   * what must not be repeated stands in `context.skipOnReplay`. Default: a replay is refused.
   */
  readonly replay?: ReplayMode
  /**
   * Where it begins when it is new: with everything that ever happened (`start`, the default), or with what happens
   * from its first start on (`now`), for a handler that must not act on the past.
   */
  readonly from?: 'start' | 'now'
  /** How many keys each process works on side by side; default 16. */
  readonly concurrency?: number
  /**
   * Into how many partitions the keys are divided, 1 to 256; default 1. Each is run by one process at a time, so several
   * processes can share the work, still in order per key. May be changed at any deploy.
   */
  readonly partitions?: number
  /** How many messages a partition has in memory at most; default 100, or `concurrency` if that is more. */
  readonly maxInFlight?: number
  /** How many bytes of message text it has in memory at most, but for one message; default 4 MiB. */
  readonly maxBytes?: number
  /** How long one attempt may take; default 30 s. */
  readonly timeout?: Duration
}

const optionNames: OptionNames<HandlerOptions<AnyDefinition>> = {
  run: true,
  key: true,
  retry: true,
  classify: true,
  onFailure: true,
  breaker: true,
  rate: true,
  replay: true,
  from: true,
  concurrency: true,
  partitions: true,
  keyVersion: true,
  maxInFlight: true,
  maxBytes: true,
  timeout: true,
}

/** A handler, ready for `use`. `C` names the commands it handles. */
export interface Handler<C extends string = string> {
  readonly part: 'handler'
  readonly name: string
  /** Carries the types of the commands; never set. */
  readonly commands?: C
  readonly definitions: readonly AnyDefinition[]
  readonly run: (message: Recorded, context: HandlerContext) => Promise<void> | void
  readonly key: ((message: Recorded) => string) | undefined
  readonly keyVersion: number
  readonly retry: RetryPolicy
  readonly classify: Classify | undefined
  readonly onFailure: FailurePolicy
  readonly breaker: BreakerPolicy | undefined
  readonly rate: Rate | undefined
  readonly replay: ReplayMode | undefined
  readonly from: 'start' | 'now'
  readonly concurrency: number
  readonly partitions: number
  readonly maxInFlight: number
  readonly maxBytes: number
  /** Milliseconds. */
  readonly timeout: number
}

export type CommandTypeOf<D extends AnyDefinition> = Extract<
  D,
  { readonly kind: 'command' }
>['type']

type Policies = 'retry' | 'classify' | 'onFailure' | 'breaker' | 'rate'

const breakerOf = (what: string, breaker: BreakerOptions | true): BreakerPolicy =>
  breakerPolicy(what, breaker === true ? {} : breaker)

/** What it does about failures, and how fast it goes. */
const policies = (
  what: string,
  options: Pick<HandlerOptions<AnyDefinition>, Policies>,
): Pick<Handler, Policies> => {
  const { retry, classify, onFailure, breaker, rate } = options
  if (classify !== undefined) expectFunction(`classify of ${what}`, classify)
  return {
    retry: retryPolicy(what, retry),
    classify,
    onFailure: failurePolicy(what, onFailure),
    breaker: breaker === undefined ? undefined : breakerOf(what, breaker),
    rate: rate === undefined ? undefined : ratePolicy(what, rate),
  }
}

const replayMode = (name: string, mode: ReplayMode | undefined): ReplayMode | undefined => {
  if (mode === undefined || mode === 'idempotent' || mode === 'marked') return mode
  throw new ThenceError(
    'CONFIG_INVALID',
    `replay of handler ${name} is ${JSON.stringify(mode)}; it is idempotent or marked, or left out.`,
  )
}

/**
 * Defines a handler of one or several definitions, by a function or by options with `run`.
 * @param name unique in the app; also the name of its subscription.
 * @throws NAME_INVALID, CONFIG_INVALID
 */
export function handler<D extends AnyDefinition>(
  name: string,
  definitions: D | readonly D[],
  handle: HandlerFunction<D> | HandlerOptions<D>,
): Handler<CommandTypeOf<D>> {
  checkName('The handler', name)
  const options: HandlerOptions<D> = typeof handle === 'function' ? { run: handle } : handle
  expectObject(`What handler ${name} does`, options)
  expectOptions(`handler ${name}`, options, optionNames)
  const list = (Array.isArray(definitions) ? definitions : [definitions]) as readonly D[]
  expectFunction(`run of handler ${name}`, options.run)
  for (const definition of list) expectDefinition(`Handler ${name}`, definition)
  const { key, from = 'start', concurrency = 16, timeout = '30s' } = options
  if (key !== undefined) expectFunction(`key of handler ${name}`, key)
  expectOneOf(`from of handler ${name}`, from, ['start', 'now'])
  const { maxInFlight = Math.max(100, concurrency), maxBytes = 4 * 1024 * 1024 } = options
  if (list.length === 0 || ![concurrency, maxInFlight, maxBytes].every(isCount))
    throw new ThenceError(
      'CONFIG_INVALID',
      `Handler ${name} needs at least one definition, and concurrency, maxInFlight and maxBytes of at least 1.`,
    )
  return {
    part: 'handler',
    name,
    ...policies(`handler ${name}`, options),
    replay: replayMode(name, options.replay),
    definitions: list,
    run: options.run as Handler['run'],
    key: key as Handler['key'],
    keyVersion: checkKeyVersion(`handler ${name}`, options.keyVersion),
    from,
    concurrency,
    partitions: checkPartitions(`Handler ${name}`, options.partitions),
    maxInFlight,
    maxBytes,
    timeout: milliseconds(`timeout of handler ${name}`, timeout),
  }
}
