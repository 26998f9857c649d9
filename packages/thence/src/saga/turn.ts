/**
 * What one message makes a saga do, collected as data: facts and commands for its stream, timers to set and to cancel.
 */
import { ThenceError } from '../errors.ts'
import type { AnyDefinition, DataOf } from '../message/define.ts'
import type { CommandMessage, Message, SagaMark } from '../message/message.ts'
import { sagaMark } from '../message/message.ts'
import type { SagaFacts, SagaState, SagaTimer } from './facts.ts'
import { evolve } from './facts.ts'
import type { ReactionContext, Saga } from './saga.ts'
import { dataOf } from './seen.ts'
import type { Commands, Step } from './step.ts'

/** The time and the chance of a turn, given from outside so that a turn is a pure function. */
export interface Moment {
  /** Unix milliseconds. */
  readonly now: number
  /** From [0, 1). */
  readonly random: number
}

export interface PlannedTimer {
  readonly id: string
  /** Unix milliseconds, counted from the turn's `now`. */
  readonly due: number
  /** Milliseconds from the turn on, which is what is stored: the database's clock decides. */
  readonly delay: number
  readonly timer: SagaTimer
}

/** What is to be committed. */
export interface TurnResult {
  readonly state: SagaState
  readonly messages: readonly Message[]
  readonly set: readonly PlannedTimer[]
  /** Ids of timers that are no longer wanted. */
  readonly cancel: readonly string[]
  /** True when the saga has ended: all its timers go. */
  readonly ended: boolean
}

/** A list as JSON: whatever the names hold, no two timers share an id. */
export const timerId = (stream: string, { kind, step }: Pick<SagaTimer, 'kind' | 'step'>): string =>
  JSON.stringify([stream, kind, step])

/** What the ids of all timers of one instance begin with, and no others. */
export const timerPrefix = (stream: string): string => `[${JSON.stringify(stream)},`

type Outcome = SagaFacts['finished']['outcome']

export class Turn {
  readonly saga: Saga
  readonly key: string
  readonly moment: Moment
  #state: SagaState
  readonly #messages: Message[] = []
  #set: PlannedTimer[] = []
  #outcome: Outcome | undefined
  readonly #cancel: string[] = []

  constructor(saga: Saga, state: SagaState, at: { readonly key: string; readonly moment: Moment }) {
    this.saga = saga
    this.key = at.key
    this.moment = at.moment
    this.#state = state
  }

  get state(): SagaState {
    return this.#state
  }

  /** Records a fact. */
  record<F extends keyof SagaFacts>(fact: F, data: SagaFacts[F]): void {
    this.#add(this.saga.facts[fact](data))
  }

  /** Sends a step's command, marked with the step. */
  command(step: Step, commands: Commands<never>, mark: Omit<SagaMark, 'step'>): void {
    const message = this.#write(commands, mark.attempt)
    this.#add({ ...message, [sagaMark]: { step: step.name, ...mark } })
  }

  /** Sends a command that belongs to no step. */
  send(message: CommandMessage): void {
    this.#add(message)
  }

  set(timer: Omit<SagaTimer, 'key'>, delay: number): void {
    const full = { key: this.key, ...timer }
    const id = timerId(this.#stream, timer)
    this.#set.push({ id, due: this.moment.now + delay, delay, timer: full })
  }

  cancel(timer: Pick<SagaTimer, 'kind' | 'step'>): void {
    const id = timerId(this.#stream, timer)
    this.#set = this.#set.filter((planned) => planned.id !== id)
    this.#cancel.push(id)
  }

  /** The saga ends with this turn; `undefined`: it doesn't, after all. */
  ends(outcome: Outcome | undefined): void {
    this.#outcome = outcome
  }

  /** Records the end if it has come: last, so that a reaction to the same message still has its say. */
  close(): void {
    const outcome = this.#outcome
    if (outcome === undefined) return
    const { reason } = this.#state
    const why = outcome === 'compensated' && reason !== undefined ? { reason } : {}
    this.record('finished', { outcome, ...why })
  }

  context(attempt: number): ReactionContext<unknown> {
    const { key, saga } = this
    const { seen, own } = this.#state
    const find = <D extends AnyDefinition>(definition: D): DataOf<D> | undefined => {
      const found = seen.get(definition.type)
      return found && dataOf(definition, found)
    }
    return {
      key,
      attempt,
      state: own,
      find,
      data<D extends AnyDefinition>(definition: D): DataOf<D> {
        const data = find(definition)
        if (data !== undefined) return data
        throw new ThenceError(
          'STATE_INVALID',
          `Saga ${saga.name} ${key} has not seen ${definition.type}. Use find(), or name it as done, failed or on.`,
        )
      },
    }
  }

  result(): TurnResult {
    const { status } = this.#state
    return {
      state: this.#state,
      messages: this.#messages,
      set: this.#set,
      cancel: this.#cancel,
      ended: status === 'completed' || status === 'compensated',
    }
  }

  get #stream(): string {
    return `${this.saga.name}-${this.key}`
  }

  #write(commands: Commands<never>, attempt: number): CommandMessage {
    const context = this.context(attempt)
    if (typeof commands === 'function' && !('kind' in commands)) return commands(context)
    const start: unknown = context.data(this.saga.startedBy)
    return (commands as unknown as (data: unknown) => CommandMessage)(start)
  }

  #add(message: Message): void {
    this.#messages.push(message)
    const { type, data, [sagaMark]: mark } = message
    this.#state = evolve(this.saga.name, this.#state, { type, data, mark })
  }
}
