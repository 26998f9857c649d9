/**
 * Given events, when one more or time passes, then commands and timers: a saga's rules without a store and without
 * waiting. Its state is read back from the facts it recorded, as after a restart.
 */
import type { Duration } from '../internal/duration.ts'
import { milliseconds } from '../internal/duration.ts'
import type { AnyDefinition } from '../message/define.ts'
import type { CommandMessage, EventMessage, Message } from '../message/message.ts'
import { sagaMark } from '../message/message.ts'
import type { SagaState, SagaStatus, SagaTimer, StepStatus } from '../saga/facts.ts'
import { evolve, newState } from '../saga/facts.ts'
import { react } from '../saga/react.ts'
import type { Saga } from '../saga/saga.ts'
import type { PlannedTimer } from '../saga/turn.ts'
import { fail, same } from './assertion.ts'
import { Recorder } from './recorder.ts'
import type { VirtualRuntime } from './virtual-runtime.ts'
import { virtualRuntime } from './virtual-runtime.ts'

export interface SagaSpecOptions {
  /** Chance in [0, 1); default just below 1, so that every back-off is as long as it can be. */
  readonly random?: number
}

/** One instance of a saga. Checks look at what the last `when…` or `after` led to, or else all of `given`. */
export interface GivenSaga {
  /** Then these happen. */
  when(...events: readonly EventMessage[]): GivenSaga
  /** Time passes until the timer is due: the timeout or next attempt of a step, or a timer of a reaction. */
  whenTimer(name: string): GivenSaga
  /** Time passes; every timer that falls due fires. */
  after(duration: Duration): GivenSaga
  /** Exactly these commands were sent, in this order. */
  thenSends(commands: CommandMessage | readonly CommandMessage[]): GivenSaga
  /** Nothing was sent and nothing recorded. */
  thenNothing(): GivenSaga
  /** The timer waits, and is due in so long. */
  thenTimer(name: string, due?: Duration): GivenSaga
  /** No such timer waits, or none at all. */
  thenNoTimer(name?: string): GivenSaga
  thenStatus(status: SagaStatus): GivenSaga
  thenStep(step: string, status: StepStatus): GivenSaga
  /** What its reactions keep. */
  thenState(state: unknown): GivenSaga
}

const definitionsOf = (saga: Saga): readonly AnyDefinition[] => {
  const { startedBy, on, steps, facts } = saga
  const named = steps.flatMap(({ done, failed, undone, ...step }) => [
    done,
    ...failed,
    ...[undone, step.do, step.undo].filter((one) => one !== undefined && 'kind' in one),
  ])
  const reactions = [...on.values()].map(({ definition }) => definition)
  return [startedBy, ...reactions, ...named, ...Object.values(facts)] as readonly AnyDefinition[]
}

class SagaSpec implements GivenSaga {
  readonly #saga: Saga
  readonly #runtime: VirtualRuntime = virtualRuntime()
  readonly #recorder: Recorder
  readonly #random: number
  readonly #timers = new Map<string, PlannedTimer>()
  #state: SagaState
  #key: string | undefined
  #now: number
  #written: Message[] = []

  constructor(saga: Saga, history: readonly EventMessage[], random: number) {
    this.#saga = saga
    this.#random = random
    this.#now = this.#runtime.now()
    this.#state = newState(saga.initial())
    this.#recorder = new Recorder(`Saga ${saga.name}`, definitionsOf(saga), this.#runtime)
    for (const event of history) this.#give(event)
  }

  when(...events: readonly EventMessage[]): this {
    this.#written = []
    for (const event of events) this.#give(event)
    return this
  }

  whenTimer(name: string): this {
    this.#written = []
    const timer = this.#timer(name) ?? this.#noTimer(name)
    this.#fireUntil(timer.due)
    return this
  }

  after(duration: Duration): this {
    this.#written = []
    this.#fireUntil(this.#now + milliseconds('The time to pass', duration))
    return this
  }

  thenSends(commands: CommandMessage | readonly CommandMessage[]): this {
    const expected = Array.isArray(commands) ? (commands as readonly CommandMessage[]) : [commands]
    const sent = this.#written.filter(({ kind }) => kind === 'command')
    const what = `${this.#saga.name}: other commands were sent than expected`
    this.#recorder.compare(what, sent, expected as readonly CommandMessage[])
    return this
  }

  thenNothing(): this {
    const types = this.#written.map(({ type }) => type)
    same(`${this.#saga.name}: something was recorded or sent`, types, [])
    return this
  }

  thenTimer(name: string, due?: Duration): this {
    const timer = this.#timer(name) ?? this.#noTimer(name)
    if (due === undefined) return this
    const expected = milliseconds('The time until the timer', due)
    same(
      `${this.#saga.name}: timer ${name} is due at another time (in ms)`,
      timer.due - this.#now,
      expected,
    )
    return this
  }

  thenNoTimer(name?: string): this {
    const names = this.#names().filter((one) => name === undefined || one === name)
    same(`${this.#saga.name}: a timer waits`, names, [])
    return this
  }

  thenStatus(status: SagaStatus): this {
    same(`${this.#saga.name}: another status`, this.#state.status, status)
    return this
  }

  thenStep(step: string, status: StepStatus): this {
    const found = this.#state.steps.find((one) => one.step === step)?.status ?? 'not begun'
    same(`${this.#saga.name}: another status of step ${step}`, found, status)
    return this
  }

  thenState(state: unknown): this {
    same(`${this.#saga.name}: another state`, this.#state.own, state)
    return this
  }

  #give(message: EventMessage): void {
    const recorded = this.#recorder.record(message, 'given')
    const key = this.#saga.key(recorded)
    if (key === undefined) return
    this.#key ??= key
    if (key !== this.#key)
      fail(`${message.type} belongs to instance ${key}; this specification is about ${this.#key}.`)
    this.#turn(recorded)
  }

  #turn(message: Parameters<typeof react>[2]['message']): void {
    const moment = { now: this.#now, random: this.#random }
    const key = this.#key ?? ''
    const result = react(this.#saga, this.#state, { key, message, moment })
    this.#written.push(...result.messages)
    this.#state = result.messages.reduce(
      (state, written) => this.#fold(state, written),
      this.#state,
    )
    if (result.ended) return this.#timers.clear()
    for (const id of result.cancel) this.#timers.delete(id)
    for (const timer of result.set) this.#timers.set(timer.id, timer)
  }

  /** A fact goes through the door of the log; a command's data does not matter to the state. */
  #fold(state: SagaState, message: Message): SagaState {
    const { type, kind, [sagaMark]: mark } = message
    const data = kind === 'command' ? null : this.#recorder.record(message, 'facts').data
    return evolve(this.#saga.name, state, { type, data, mark })
  }

  #fireUntil(until: number): void {
    for (let next = this.#next(until); next !== undefined; next = this.#next(until)) {
      this.#timers.delete(next.id)
      this.#now = Math.max(this.#now, next.due)
      this.#turn(this.#recorder.record(this.#saga.facts.timerFired(next.timer), 'timers'))
    }
    this.#now = until
  }

  #next(until: number): PlannedTimer | undefined {
    const due = [...this.#timers.values()].filter((timer) => timer.due <= until)
    return due.sort((left, right) => left.due - right.due).at(0)
  }

  #timer(name: string): PlannedTimer | undefined {
    return [...this.#timers.values()].find(({ timer }) => timer.step === name)
  }

  #names(): readonly string[] {
    return [...this.#timers.values()].map(({ timer }: { timer: SagaTimer }) => timer.step)
  }

  #noTimer(name: string): never {
    const waiting = this.#names().join(', ')
    return fail(
      `${this.#saga.name}: no timer ${name} waits; ${waiting === '' ? 'none does' : `waiting: ${waiting}`}.`,
    )
  }
}

export const givenSaga = (
  saga: Saga,
  history: readonly EventMessage[],
  { random = 0.999_999_999 }: SagaSpecOptions,
): GivenSaga => new SagaSpec(saga, history, random)
