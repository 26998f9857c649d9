/**
 * The consistency boundary: pure rules that turn a command into events. An aggregate reads nothing but its own stream
 * and does nothing but decide; what follows from its events is the work of projections, handlers and sagas.
 */
import { ThenceError } from '../errors.ts'
import type { Chain, Entry } from '../message/collect.ts'
import { collect } from '../message/collect.ts'
import type { AnyCommand, AnyEvent, DataOf } from '../message/define.ts'
import type { OptionNames } from '../message/expect.ts'
import { expectFunction, expectObject, expectOptions, shown } from '../message/expect.ts'
import type { EventMessage, Issued, Recorded } from '../message/message.ts'
import { checkCategory } from '../message/name.ts'
import { checkKeyVersion, checkPartitions } from '../message/partitions.ts'

/** What a decision gives: the events that now happened; `[]` for none. */
export type Decision<E extends string = string> = EventMessage<E> | readonly EventMessage<E>[]

/** Collects how the state follows from events. */
export interface Evolving<State, E extends string> {
  on<D extends AnyEvent>(
    definition: D,
    apply: (state: State, event: Recorded<D['type'], DataOf<D>>) => State,
  ): Evolving<State, E | D['type']>
}

/** Collects how commands are decided. Only events that `evolve` knows may be given. */
export interface Deciding<State, E extends string, C extends Issued> {
  on<D extends AnyCommand>(
    definition: D,
    decide: (state: State, command: Issued<D['type'], DataOf<D>>) => Decision<E>,
  ): Deciding<State, E, C | Issued<D['type'], DataOf<D>>>
}

/** A shortcut past the beginning of long streams; see docs/guides/decide.md. */
export interface SnapshotOptions {
  /** Take one each time so many events were added; at least 1. */
  readonly every: number
  /** Change it when the shape of the state changes; snapshots with another tag are ignored. Default `'1'`. */
  readonly tag?: string
}

export interface AggregateOptions<State, E extends string, C extends Issued> {
  /** The state before anything happened. */
  readonly initial: () => State
  /** Pure: gives the next state, changes nothing. */
  readonly evolve: (on: Evolving<State, never>['on']) => Evolving<State, E>
  /**
   * Pure: gives events, or throws {@link reject} to refuse. It may run again after a conflict, so it must not do
   * anything else.
   */
  readonly decide: (on: Deciding<State, E, never>['on']) => Deciding<State, E, C>
  /** Which one is meant, from the command; the stream is then named `name-id`. */
  readonly stream: (command: C) => string
  /**
   * Give another one when `stream` gives another id: recorded commands are divided by it. The app starts with it once nothing
   * depends on the old. Default 1.
   */
  readonly keyVersion?: number
  /** Default: none; the whole stream is read for each command. */
  readonly snapshot?: SnapshotOptions
  /** Into how many partitions commands of the log are divided by stream, so that processes share them; default 1. */
  readonly partitions?: number
}

const optionNames: OptionNames<AggregateOptions<unknown, string, never>> = {
  initial: true,
  evolve: true,
  decide: true,
  stream: true,
  snapshot: true,
  partitions: true,
  keyVersion: true,
}
const snapshotNames: OptionNames<SnapshotOptions> = { every: true, tag: true }

type Apply = (state: unknown, event: Recorded) => unknown
type Decide = (state: unknown, command: Issued) => Decision

/** An aggregate, ready for `use`. `C` names the commands it decides, `E` the events it knows. */
export interface Aggregate<C extends string = string, E extends string = string> {
  readonly part: 'aggregate'
  readonly name: string
  /** Carries the types of the commands; never set. */
  readonly commands?: C
  /** Carries the types of the events; never set. */
  readonly events?: E
  readonly initial: () => unknown
  readonly evolve: ReadonlyMap<string, Entry<AnyEvent, Apply>>
  readonly decide: ReadonlyMap<string, Entry<AnyCommand, Decide>>
  readonly id: (command: Issued) => string
  readonly keyVersion: number
  readonly partitions: number
  readonly snapshot: Required<SnapshotOptions> | undefined
}

const checkSnapshot = (name: string, options: SnapshotOptions): Required<SnapshotOptions> => {
  expectOptions(`snapshot of aggregate ${name}`, options, snapshotNames)
  const tag: unknown = options.tag ?? '1'
  if (typeof tag !== 'string')
    throw new ThenceError(
      'CONFIG_INVALID',
      `Aggregate ${name}: snapshot.tag is ${shown(tag)}; it must be a text.`,
    )
  if (!Number.isSafeInteger(options.every) || options.every < 1)
    throw new ThenceError(
      'CONFIG_INVALID',
      `Aggregate ${name}: snapshot.every is ${shown(options.every)}; it must be a whole number from 1.`,
    )
  return { every: options.every, tag }
}

/**
 * Defines an aggregate.
 * @param name the category of its streams; letters, digits and `_` read best, `-` is not allowed.
 * @throws NAME_INVALID, NAME_TAKEN, CONFIG_INVALID
 */
export function aggregate<State, E extends string, C extends Issued>(
  name: string,
  options: AggregateOptions<State, E, C>,
): Aggregate<C['type'], E> {
  checkCategory('The aggregate', name)
  expectObject(`What aggregate ${name} is`, options)
  expectOptions(`aggregate ${name}`, options, optionNames)
  expectFunction(`initial of aggregate ${name}`, options.initial)
  expectFunction(`stream of aggregate ${name}`, options.stream)
  expectFunction(`evolve of aggregate ${name}`, options.evolve)
  expectFunction(`decide of aggregate ${name}`, options.decide)
  const evolve = (on: (definition: AnyEvent, run: Apply) => Chain<AnyEvent, Apply>): unknown =>
    options.evolve(on as never)
  const decide = (
    on: (definition: AnyCommand, run: Decide) => Chain<AnyCommand, Decide>,
  ): unknown => options.decide(on as never)
  return {
    part: 'aggregate',
    name,
    initial: options.initial,
    evolve: collect<AnyEvent, Apply>(`evolve of aggregate ${name}`, evolve, ['event']),
    decide: collect<AnyCommand, Decide>(`decide of aggregate ${name}`, decide, ['command']),
    id: options.stream as (command: Issued) => string,
    keyVersion: checkKeyVersion(`aggregate ${name}`, options.keyVersion),
    partitions: checkPartitions(`Aggregate ${name}`, options.partitions),
    snapshot: options.snapshot === undefined ? undefined : checkSnapshot(name, options.snapshot),
  }
}

/**
 * The error with which a decision refuses a command for a reason of the domain. It is not retried.
 * @param reason a stable word for programs, for example `OUT_OF_STOCK`.
 */
export function reject(reason: string, message: string): ThenceError {
  return new ThenceError('REJECTED', message, { details: { reason } })
}
