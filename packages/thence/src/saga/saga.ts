/**
 * Sagas: what remembers across messages and acts over time. Steps in order with compensation in reverse, reactions to
 * any event with a state of its own, and timers. A definition is data and pure functions; it knows no store.
 */
import { ThenceError } from '../errors.ts'
import type { FailurePolicy } from '../handle/failure-policy.ts'
import { failurePolicy } from '../handle/failure-policy.ts'
import type { Duration } from '../internal/duration.ts'
import type { Chain, Entry } from '../message/collect.ts'
import { collect } from '../message/collect.ts'
import type { AnyEvent, DataOf, EventDefinition, Readable } from '../message/define.ts'
import { event } from '../message/define.ts'
import type { CommandMessage, Recorded } from '../message/message.ts'
import type { OptionNames } from '../message/expect.ts'
import {
  expectDefinition,
  expectFunction,
  expectList,
  expectObject,
  expectOptions,
} from '../message/expect.ts'
import { checkCategory, checkName } from '../message/name.ts'
import { checkKeyVersion, checkPartitions } from '../message/partitions.ts'
import { plain } from '../message/schema.ts'
import type { SagaFacts } from './facts.ts'
import { kept } from './seen.ts'
import type { SagaContext, Step } from './step.ts'

/** What a reaction wants to happen; all of it commits together. */
export interface Reaction<State> {
  /** The next state; left out or `undefined`, it stays. */
  readonly state?: State
  readonly send?: CommandMessage | readonly CommandMessage[]
  /** Calls `onTimer`, which must be given, with this name later. Setting the same name again replaces it. */
  readonly timer?: { readonly name: string; readonly in: Duration }
  readonly cancelTimer?: string
  /** Takes the completed steps back, in reverse order, and ends the saga. Ignored after the pivot. */
  readonly compensate?: string
  /** Ends the saga as completed. */
  readonly complete?: boolean
}

/** What a reaction is given: what any step is given, and the state. */
export interface ReactionContext<State> extends SagaContext {
  /** Frozen: return the next one. */
  readonly state: State
}

/** Collects reactions to events. */
export interface Reacting<State, E extends Recorded> {
  on<D extends AnyEvent>(
    definition: D,
    react: (
      saga: ReactionContext<State>,
      event: Recorded<D['type'], DataOf<D>>,
    ) => Reaction<State> | undefined,
  ): Reacting<State, E | Recorded<D['type'], DataOf<D>>>
}

/** The data of the message that starts a saga, and of every event that its steps wait for. */
export type DataSeen<Start, Steps extends readonly Step[]> =
  | Start
  | DataOf<NonNullable<Steps[number]['events']>>

export interface SagaOptions<
  Type extends string,
  Start,
  State,
  Steps extends readonly Step<Start>[],
> {
  /** The event that starts an instance; a second one for the same key changes nothing. */
  readonly startedBy: Readable<'event', Type, Start>
  /**
   * Which instance a message belongs to; asked of the start, of every event that a step waits for, and of every event
   * in `on`. `undefined`: none of this saga's. Else a text that isn't empty, so that `name-key` is a valid name; anything
   * else parks the message (NAME_INVALID).
   *
   * The type of `data` is that of the start and of the events of the steps. The data of events that stand only in `on` is
   * not in it, because `on` is typed after `key`: such an event must have its key where the others have it.
   */
  readonly key: (message: {
    readonly type: string
    readonly data: DataSeen<Start, Steps>
  }) => string | undefined
  /** Give another one when `key` gives another key; the app starts with it once nothing depends on the old. Default 1. */
  readonly keyVersion?: number
  readonly steps?: Steps
  /** The state that reactions keep; it must be storable as JSON. */
  readonly state?: () => State
  readonly on?: (on: Reacting<State, never>['on']) => Reacting<State, Recorded>
  readonly onTimer?: (saga: ReactionContext<State>, timer: string) => Reaction<State> | undefined
  /** Into how many partitions its instances are divided, so that several processes share the work; default 1. */
  readonly partitions?: number
  /** What becomes of a message that fails for good, and of the later ones of its instance. Default `park-key`. */
  readonly onFailure?: FailurePolicy
}

const optionNames: OptionNames<SagaOptions<string, unknown, unknown, readonly []>> = {
  startedBy: true,
  key: true,
  steps: true,
  state: true,
  on: true,
  onTimer: true,
  partitions: true,
  keyVersion: true,
  onFailure: true,
}

export type React = (
  saga: ReactionContext<unknown>,
  event: Recorded,
) => Reaction<unknown> | undefined

/** A saga, ready for `use`. */
export interface Saga {
  readonly part: 'saga'
  readonly name: string
  readonly startedBy: AnyEvent
  readonly key: (message: Recorded) => string | undefined
  readonly keyVersion: number
  readonly partitions: number
  readonly onFailure: FailurePolicy
  readonly steps: readonly Step[]
  readonly initial: () => unknown
  readonly on: ReadonlyMap<string, Entry<AnyEvent, React>>
  readonly onTimer:
    | ((saga: ReactionContext<unknown>, timer: string) => Reaction<unknown> | undefined)
    | undefined
  /** Its own events, by the fact they record. */
  readonly facts: {
    readonly [F in keyof SagaFacts]: EventDefinition<string, SagaFacts[F], SagaFacts[F]>
  }
}

const factNames = [
  'started',
  'stepDone',
  'stepFailed',
  'stepTimedOut',
  'stepUndone',
  'compensating',
  'reacted',
  'timerFired',
  'finished',
] as const satisfies readonly (keyof SagaFacts)[]

const factsOf = (name: string): Saga['facts'] =>
  Object.fromEntries(
    factNames.map((fact) => [fact, event(`${name}.${fact}`, plain<SagaFacts[typeof fact]>())]),
  ) as unknown as Saga['facts']

const checkSteps = (name: string, steps: readonly Step[]): void => {
  expectList(`steps of saga ${name}`, steps)
  const names = new Set<string>()
  for (const one of steps) {
    expectObject(`A step of saga ${name}`, one)
    if (!('do' in one && 'done' in one && 'pivot' in one))
      throw new ThenceError(
        'CONFIG_INVALID',
        `A step of saga ${name} is no step; make it by step('name', { do, done }).`,
      )
    const { name: step } = one
    if (names.has(step))
      throw new ThenceError('NAME_TAKEN', `Saga ${name} has two steps named ${step}.`)
    names.add(step)
  }
}

/** A key makes the name of a stream: one that is no name would merge instances, or could not be stored. */
const checkedKey = (name: string, key: unknown): string | undefined => {
  if (key === undefined) return undefined
  if (typeof key !== 'string' || key === '')
    throw new ThenceError(
      'NAME_INVALID',
      `Saga ${name}: key gave ${key === '' ? 'an empty text' : typeof key}; it must be a text that is not empty, or undefined.`,
    )
  checkName('The stream', `${name}-${key}`)
  return key
}

/**
 * Defines a saga. One instance lives per key; its history is the stream `name-key`.
 * @param name the category of its streams; `-` is not allowed.
 * @throws NAME_INVALID, NAME_TAKEN, CONFIG_INVALID
 */
export function saga<
  Type extends string,
  Start,
  State = undefined,
  const Steps extends readonly Step<Start>[] = readonly [],
>(name: string, options: SagaOptions<Type, Start, State, Steps>): Saga {
  checkCategory('The saga', name)
  expectObject(`What saga ${name} is`, options)
  expectOptions(`saga ${name}`, options, optionNames)
  expectFunction(`key of saga ${name}`, options.key)
  expectDefinition(`startedBy of saga ${name}`, options.startedBy, ['event'])
  checkName('The saga', `${name}.timerFired`)
  const { on, state, onTimer } = options
  const steps = (options.steps ?? []) as readonly Step[]
  checkSteps(name, steps)
  for (const [option, value] of Object.entries({ on, state, onTimer }))
    if (value !== undefined) expectFunction(`${option} of saga ${name}`, value)
  if (steps.length === 0 && on === undefined)
    throw new ThenceError('CONFIG_INVALID', `Saga ${name} has neither steps nor reactions.`)
  const reacting = (add: (definition: AnyEvent, run: React) => Chain<AnyEvent, React>): unknown =>
    on?.(add as never)
  return {
    part: 'saga',
    name,
    startedBy: options.startedBy,
    key: (message) => checkedKey(name, options.key(message)),
    keyVersion: checkKeyVersion(`saga ${name}`, options.keyVersion),
    steps,
    partitions: checkPartitions(`Saga ${name}`, options.partitions),
    onFailure: failurePolicy(`Saga ${name}`, options.onFailure),
    initial: () => kept(name, state?.()),
    on:
      on === undefined ? new Map() : collect<AnyEvent, React>(`saga ${name}`, reacting, ['event']),
    onTimer: onTimer as Saga['onTimer'],
    facts: factsOf(name),
  }
}

/** Every type of message that the saga must be given. */
export function typesOf(saga: Saga): readonly string[] {
  const types = new Set([saga.startedBy.type, ...saga.on.keys(), saga.facts.timerFired.type])
  for (const { done, failed, undone } of saga.steps) {
    types.add(done.type)
    for (const { type } of failed) types.add(type)
    if (undone !== undefined) types.add(undone.type)
  }
  return [...types]
}
