/**
 * Given events, when commands, then events: an aggregate's rules without a store. State and messages are frozen, so
 * rules that are not pure fail here.
 */
import type { Aggregate } from '../decide/aggregate.ts'
import { evolve } from '../decide/state.ts'
import type { ErrorCode } from '../errors.ts'
import { isThenceError } from '../errors.ts'
import { deepFreeze, encodeJson } from '../message/json.ts'
import type { CommandMessage, EventMessage } from '../message/message.ts'
import { fail, same } from './assertion.ts'
import { Recorder } from './recorder.ts'
import { virtualRuntime } from './virtual-runtime.ts'

/** What has happened; now something is asked for. */
export interface GivenAggregate<C extends string, E extends string> {
  /** Decides the commands one after the other, each knowing what came of those before it. */
  when(...commands: readonly CommandMessage<C>[]): Decided<E>
}

/** What came of the commands. */
export interface Decided<E extends string> {
  /** Exactly these events happened, in this order. */
  then(events: EventMessage<E> | readonly EventMessage<E>[]): void
  /** Nothing happened. */
  thenNothing(): void
  /** A command was refused by `reject` with this reason. */
  thenRejects(reason: string): void
  /** A command failed otherwise, for example with SCHEMA_INVALID. */
  thenFails(check: ErrorCode | RegExp): void
}

const stream = 'given'

class AggregateSpec implements GivenAggregate<string, string>, Decided<string> {
  readonly #aggregate: Aggregate
  readonly #recorder: Recorder
  #state: unknown
  #events: EventMessage[] = []
  #failure: { readonly error: unknown } | undefined

  constructor(aggregate: Aggregate, history: readonly EventMessage[]) {
    const { name } = aggregate
    this.#aggregate = aggregate
    const entries = [...aggregate.evolve.values(), ...aggregate.decide.values()]
    const definitions = entries.map(({ definition }) => definition)
    this.#recorder = new Recorder(`Aggregate ${name}`, definitions, virtualRuntime())
    this.#state = deepFreeze(aggregate.initial())
    for (const event of history) this.#evolve(event)
    // What a snapshot would keep of the state must be enough to decide.
    if (aggregate.snapshot !== undefined)
      this.#state = deepFreeze(JSON.parse(encodeJson(`The state of ${name}`, this.#state)))
  }

  when(...commands: readonly CommandMessage[]): this {
    for (const command of commands) {
      try {
        this.#decide(command)
      } catch (error) {
        this.#failure = { error }
        return this
      }
    }
    return this
  }

  // oxlint-disable-next-line unicorn/no-thenable -- it is the word of the specification; awaiting one is told below
  then(events: EventMessage | readonly EventMessage[]): void {
    if (typeof events === 'function')
      fail('A specification of an aggregate is not awaited: end it with .then([…]).')
    this.#throwFailure()
    const expected = Array.isArray(events) ? (events as readonly EventMessage[]) : [events]
    const what = `${this.#aggregate.name}: other events happened than expected`
    this.#recorder.compare(what, this.#events, expected as readonly EventMessage[])
  }

  thenNothing(): void {
    this.#throwFailure()
    this.#recorder.compare(`${this.#aggregate.name}: something happened`, this.#events, [])
  }

  thenRejects(reason: string): void {
    const error = this.#failed(`to be rejected with ${reason}`)
    if (!isThenceError(error, 'REJECTED')) throw error
    same(`${this.#aggregate.name}: rejected for another reason`, error.details['reason'], reason)
  }

  thenFails(check: ErrorCode | RegExp): void {
    const error = this.#failed(`to fail with ${String(check)}`)
    const fits =
      typeof check === 'string'
        ? isThenceError(error, check)
        : check.test(error instanceof Error ? error.message : String(error))
    if (!fits) throw error
  }

  #decide(message: CommandMessage): void {
    const { name, decide } = this.#aggregate
    const entry = decide.get(message.type) ?? fail(`${name} does not decide ${message.type}.`)
    const command = deepFreeze(this.#recorder.issue(message))
    // A stream that cannot be named fails here as it would in an app.
    this.#aggregate.id(command)
    const decision = entry.run(this.#state, command)
    const events = Array.isArray(decision)
      ? (decision as readonly EventMessage[])
      : [decision as EventMessage]
    for (const event of events) this.#evolve(event)
    this.#events.push(...events)
  }

  #evolve(event: EventMessage): void {
    const recorded = this.#recorder.record(event, stream)
    this.#state = deepFreeze(evolve(this.#aggregate, this.#state, recorded))
  }

  #throwFailure(): void {
    if (this.#failure !== undefined) throw this.#failure.error
  }

  #failed(expected: string): unknown {
    if (this.#failure !== undefined) return this.#failure.error
    const types = this.#events.map(({ type }) => type)
    const happened = types.length === 0 ? 'nothing happened' : `${types.join(', ')} happened`
    return fail(`${this.#aggregate.name}: expected ${expected}, but ${happened}.`)
  }
}

export const givenAggregate = <C extends string, E extends string>(
  aggregate: Aggregate<C, E>,
  history: readonly EventMessage<E>[],
): GivenAggregate<C, E> => new AggregateSpec(aggregate, history)
