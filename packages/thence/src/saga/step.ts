/**
 * One step of a saga: the command that does it, the events that tell how it went, and the command that undoes it.
 */
import { ThenceError } from '../errors.ts'
import type { RetryOptions, RetryPolicy } from '../handle/retry.ts'
import { retryPolicy } from '../handle/retry.ts'
import type { Duration } from '../internal/duration.ts'
import { milliseconds } from '../internal/duration.ts'
import type { AnyCommand, AnyDefinition, AnyEvent, DataOf } from '../message/define.ts'
import type { CommandMessage } from '../message/message.ts'
import type { OptionNames } from '../message/expect.ts'
import {
  expectDefinition,
  expectFlag,
  expectFunction,
  expectObject,
  expectOptions,
} from '../message/expect.ts'
import { checkName } from '../message/name.ts'

/** What a saga knows when it writes a command. Its functions need no `this`. */
export interface SagaContext {
  /** Which instance this is. */
  readonly key: string
  /** 1 for the first try of the step, and for the first try to undo it. */
  readonly attempt: number
  /** The data of the last message of this definition that this instance has seen. @throws STATE_INVALID if none. */
  readonly data: <D extends AnyDefinition>(definition: D) => DataOf<D>
  /** As {@link SagaContext.data}, but `undefined` if none. */
  readonly find: <D extends AnyDefinition>(definition: D) => DataOf<D> | undefined
}

/** A command definition that takes the data of the message that started the saga. */
export interface Commanding<Start> extends AnyCommand {
  readonly takes?: (data: Start) => void
}

/** A command: its definition, if the start's data is what it takes, or a function that writes it. */
export type Commands<Start> = Commanding<Start> | ((saga: SagaContext) => CommandMessage)

export interface StepOptions<
  Start,
  Done extends AnyEvent,
  Failed extends AnyEvent,
  Undone extends AnyEvent,
> {
  readonly do: Commands<Start>
  /** The event that says it worked. */
  readonly done: Done
  /** Events that say it did not. */
  readonly failed?: Failed | readonly Failed[]
  /** Takes it back, if a later step fails. A step that timed out is taken back too, because it may have worked. */
  readonly undo?: Commands<Start>
  /** If given, compensation goes on only after this event; else as soon as `undo` is sent. */
  readonly undone?: Undone
  /**
   * How long one attempt may take; default: for ever. With `undone`: how long it may take to come before `undo` is sent
   * again, after the pause of `retry`, until it comes.
   */
  readonly timeout?: Duration
  /** Tries again after a failure or a timeout; default: one attempt. */
  readonly retry?: Pick<RetryOptions, 'attempts' | 'base' | 'cap'>
  /**
   * Once this step is done the saga only goes forward: later steps are tried until they work. Until then it is a step
   * like others: if it times out the saga compensates, and a `done` that comes later is ignored.
   */
  readonly pivot?: boolean
}

const optionNames: OptionNames<StepOptions<never, AnyEvent, AnyEvent, AnyEvent>> = {
  do: true,
  done: true,
  failed: true,
  undo: true,
  undone: true,
  timeout: true,
  retry: true,
  pivot: true,
}
const retryNames: OptionNames<Pick<RetryOptions, 'attempts' | 'base' | 'cap'>> = {
  attempts: true,
  base: true,
  cap: true,
}

/** A step as the saga uses it. `Start` is what its commands take, `E` are the events it waits for. */
export interface Step<in Start = never, out E extends AnyEvent = AnyEvent> {
  readonly name: string
  /** Carries the types of the events; never set. */
  readonly events?: E
  /** Carries the type of the start's data; never set. */
  readonly takes?: (data: Start) => void
  readonly do: Commands<never>
  readonly done: AnyEvent
  readonly failed: readonly AnyEvent[]
  readonly undo: Commands<never> | undefined
  readonly undone: AnyEvent | undefined
  /** Milliseconds. */
  readonly timeout: number | undefined
  readonly retry: RetryPolicy
  readonly pivot: boolean
}

const once = { attempts: 1, base: 1000, cap: 60_000 }

/**
 * Defines a step.
 * @throws NAME_INVALID, CONFIG_INVALID
 */
export function step<
  Start,
  Done extends AnyEvent,
  Failed extends AnyEvent = never,
  Undone extends AnyEvent = never,
>(
  name: string,
  options: StepOptions<Start, Done, Failed, Undone>,
): Step<Start, NoInfer<Done | Failed | Undone>> {
  checkName('The step', name)
  expectObject(`What step ${name} is`, options)
  expectOptions(`step ${name}`, options, optionNames)
  expectFunction(`do of step ${name}`, options.do)
  expectDefinition(`done of step ${name}`, options.done, ['event'])
  const { failed = [], timeout, undone, undo, retry, pivot = false } = options
  const failures = (Array.isArray(failed) ? failed : [failed]) as readonly AnyEvent[]
  for (const one of failures) expectDefinition(`failed of step ${name}`, one, ['event'])
  if (undo !== undefined) expectFunction(`undo of step ${name}`, undo)
  if (undone !== undefined) expectDefinition(`undone of step ${name}`, undone, ['event'])
  if (retry !== undefined) expectOptions(`retry of step ${name}`, retry, retryNames)
  expectFlag(`pivot of step ${name}`, pivot)
  if (undone !== undefined && undo === undefined)
    throw new ThenceError('CONFIG_INVALID', `Step ${name} has undone but no undo that leads to it.`)
  return {
    name,
    do: options.do,
    done: options.done,
    failed: failures,
    undo,
    undone,
    timeout: timeout === undefined ? undefined : milliseconds(`timeout of step ${name}`, timeout),
    retry: retryPolicy(`Step ${name}`, { ...once, ...retry }),
    pivot,
  }
}
