/**
 * Read models made from events: which events change the view and how, and which queries it answers. A projection writes
 * to its view only, so that it can be rebuilt from the log at any time.
 */
import { ThenceError } from '../errors.ts'
import type { FailurePolicy } from '../handle/failure-policy.ts'
import { failurePolicy } from '../handle/failure-policy.ts'
import type { RetryOptions } from '../handle/retry.ts'
import { retryPolicy } from '../handle/retry.ts'
import type { Chain, Entry } from '../message/collect.ts'
import { collect } from '../message/collect.ts'
import type { AnyDefinition, DataOf } from '../message/define.ts'
import type { OptionNames } from '../message/expect.ts'
import {
  expectCount,
  expectFlag,
  expectFunction,
  expectObject,
  expectOptions,
  shown,
  surprise,
} from '../message/expect.ts'
import type { Recorded } from '../message/message.ts'
import { checkName } from '../message/name.ts'
import { checkKeyVersion } from '../message/partitions.ts'
import type { QueryDefinition } from '../message/query.ts'
import type { ViewDefinition } from './view.ts'

/** Collects what each event does to the view. */
export interface Projecting<View> {
  on<D extends AnyDefinition>(
    definition: D,
    apply: (event: Recorded<D['type'], DataOf<D>>, view: View) => Promise<void> | void,
  ): Projecting<View>
}

/** A view to answer from: what would change it is not there. */
export type ReadOnlyView<View> = Omit<View, 'put' | 'update' | 'delete' | 'run'>

/** Collects how queries are answered from the view. */
export interface Answering<View, Q extends string> {
  on<Type extends string, Parsed, Answer, AnswerInput>(
    definition: Pick<
      QueryDefinition<Type, never, Parsed, Answer, AnswerInput>,
      'type' | 'input' | 'output'
    >,
    answer: (input: Parsed, view: ReadOnlyView<View>) => Promise<AnswerInput> | AnswerInput,
  ): Answering<View, Q | Type>
}

export interface ProjectionOptions<View, Q extends string> {
  readonly view: ViewDefinition<View>
  readonly on: (on: Projecting<View>['on']) => Projecting<View>
  readonly answers?: (on: Answering<View, never>['on']) => Answering<View, Q>
  /**
   * `true`: the view changes in the transaction of the append, or neither does. Default `false`: it follows the log
   * within milliseconds, and a failure in it never refuses a command.
   */
  readonly inline?: boolean
  /** Messages per transaction at the end of the log; up to four times as many while far behind. Default 500. */
  readonly batch?: number
  /**
   * Messages with the same key are applied in order, and only they wait for one that failed. Default: no key; the
   * whole view waits, so that it always equals the fold of a prefix of the log.
   */
  readonly key?: (event: Recorded) => string
  /** Give another one when `key` gives another key; the app starts with it once no event waits. Default 1. */
  readonly keyVersion?: number
  readonly retry?: RetryOptions
  /**
   * What becomes of an event that fails for good. Default `park-key`: without a key the whole view waits at it. With
   * `park-message` or `skip` the view goes on as if the event had changed nothing, until a rebuild.
   */
  readonly onFailure?: FailurePolicy
}

const optionNames: OptionNames<ProjectionOptions<unknown, never>> = {
  view: true,
  on: true,
  answers: true,
  inline: true,
  batch: true,
  key: true,
  keyVersion: true,
  retry: true,
  onFailure: true,
}

export type Apply = (event: Recorded, view: unknown) => Promise<void> | void
export type Answer = (input: unknown, view: unknown) => unknown
export type AnyQuery = Pick<
  QueryDefinition<string, never, unknown, unknown, never>,
  'type' | 'input' | 'output'
>

/** A projection, ready for `use`. `Q` names the queries it answers, `View` is what it writes to. */
export interface Projection<Q extends string = string, View = unknown> {
  readonly part: 'projection'
  readonly name: string
  /** Carries the types of the queries; never set. */
  readonly queries?: Q
  readonly view: ViewDefinition<View>
  readonly on: ReadonlyMap<string, Entry<AnyDefinition, Apply>>
  readonly answers: ReadonlyMap<string, Entry<AnyQuery, Answer>>
  readonly inline: boolean
  readonly batch: number
  readonly key: ((event: Recorded) => string) | undefined
  readonly keyVersion: number
  readonly retry: RetryOptions
  readonly onFailure: FailurePolicy
}

const checkView = (what: string, view: unknown): void => {
  const fits = typeof view === 'object' && view !== null && 'kind' in view && 'open' in view
  if (!fits)
    throw new ThenceError(
      'CONFIG_INVALID',
      `view of ${what} is ${shown(view)}; give documents() or tables(…).${surprise(view)}`,
    )
}

const check = <View, Q extends string>(name: string, options: ProjectionOptions<View, Q>): void => {
  const what = `projection ${name}`
  expectObject(`What ${what} is`, options)
  expectOptions(what, options, optionNames)
  const { view, on, answers, inline, batch, key, retry } = options
  checkView(what, view)
  expectFunction(`on of ${what}`, on)
  if (answers !== undefined) expectFunction(`answers of ${what}`, answers)
  if (inline !== undefined) expectFlag(`inline of ${what}`, inline)
  if (batch !== undefined) expectCount(`batch of ${what}`, batch)
  if (key !== undefined) expectFunction(`key of ${what}`, key)
  retryPolicy(what, retry)
}

/**
 * Defines a projection.
 * @param name unique in the app; also the name of its subscription and, for documents, of its collection.
 * @throws NAME_INVALID, NAME_TAKEN, CONFIG_INVALID
 */
export function projection<View, Q extends string = never>(
  name: string,
  options: ProjectionOptions<View, Q>,
): Projection<Q, View> {
  checkName('The projection', name)
  check(name, options)
  type OnEvent = (definition: AnyDefinition, run: Apply) => Chain<AnyDefinition, Apply>
  type OnQuery = (definition: AnyQuery, run: Answer) => Chain<AnyQuery, Answer>
  const { answers } = options
  const on = (add: OnEvent): unknown => options.on(add as never)
  const answering = (add: OnQuery): unknown => answers?.(add as never)
  return {
    part: 'projection',
    name,
    view: options.view,
    on: collect<AnyDefinition, Apply>(`projection ${name}`, on, ['event', 'command']),
    answers:
      answers === undefined
        ? new Map()
        : collect<AnyQuery, Answer>(`answers of projection ${name}`, answering, ['query']),
    inline: options.inline ?? false,
    batch: options.batch ?? 500,
    key: options.key,
    keyVersion: checkKeyVersion(`projection ${name}`, options.keyVersion),
    retry: options.retry ?? {},
    onFailure: failurePolicy(`Projection ${name}`, options.onFailure),
  }
}
