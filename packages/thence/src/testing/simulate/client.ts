/**
 * A client of the app, outside of its processes: it sends, and when it hears nothing or something went wrong it sends the
 * same again, with the same id, to whichever process is there.
 */
import type { App } from '../../app/app.ts'
import type { AppendOptions } from '../../app/append.ts'
import type { AskOptions } from '../../app/ask.ts'
import { isThenceError, ThenceError } from '../../errors.ts'
import type { Duration } from '../../internal/duration.ts'
import { milliseconds } from '../../internal/duration.ts'
import type { CommandMessage, EventMessage, Message } from '../../message/message.ts'
import type { QueryMessage } from '../../message/query.ts'
import type { Runtime } from '../../ports/runtime.ts'
import type { AppendResult } from '../../store/writer.ts'
import { Chance } from '../../internal/chance.ts'
import type { History } from './history.ts'
import type { Oracle } from './oracle.ts'
import type { Process } from './process.ts'
import type { World } from './world.ts'

/**
 * What a workload is given. Each client runs it once, beside the others. Its functions need no `this`: take them out as you
 * like.
 */
export interface SimulatedClient<C extends string = string, Q extends string = string> {
  /** Which client it is, from 0. */
  readonly number: number
  /** Repeatable chance of its own. Use no other. */
  readonly chance: Chance
  /** A new id, the same on every run of the seed. */
  readonly id: () => string
  /**
   * Sends a command until it is acknowledged, with the same id each time.
   * @throws what refuses it for good: REJECTED, SCHEMA_INVALID …
   */
  readonly send: <Type extends C>(command: CommandMessage<Type>) => Promise<AppendResult>
  /**
   * Appends until it is acknowledged, with the same ids each time.
   * @throws what refuses it for good: VERSION_CONFLICT, CONDITION_FAILED, SCHEMA_INVALID …
   */
  readonly append: (options: AppendOptions) => Promise<AppendResult>
  /** Asks until there is an answer. */
  readonly ask: <Type extends Q, Answer>(
    query: QueryMessage<Type, unknown, Answer>,
    options?: AskOptions,
  ) => Promise<Answer>
  /**
   * Does anything else with the app of some process, again and again until it succeeds: a transaction, what an operator does.
   * It may happen more than once; give it ids of your own where that matters.
   * @throws what refuses it for good
   */
  readonly call: <T>(work: (app: App<C, Q>) => Promise<T>) => Promise<T>
  /** The time that really passes, and ids: for what acts on the store of an app and asks for a clock. */
  readonly runtime: Pick<Runtime, 'now' | 'id'>
  /** Lets time pass. */
  readonly wait: (duration: Duration) => Promise<void>
}

export interface ClientPlan<C extends string, Q extends string> {
  readonly number: number
  readonly seed: number
  readonly world: World
  readonly history: History
  readonly oracle: Oracle
  readonly processes: readonly Process<C, Q>[]
  /** How often a message is sent twice, relative to what is usual. */
  readonly duplicates: () => number
  /** Numbers of the clients that let time pass. */
  readonly waiting: Set<number>
}

/** Milliseconds until a client gives up on a process. */
const patience = 4000

const passing = new Set(['APP_STOPPED', 'STORE_CLOSED'])
const final = new Set(['VERSION_CONFLICT', 'CONDITION_FAILED'])

/** Whether sending the same again is of no use. */
const isFinal = (error: unknown, decided: boolean): boolean => {
  if (!isThenceError(error)) return true
  if (passing.has(error.code)) return false
  if (final.has(error.code)) return !decided
  return !error.retryable
}

class Client<C extends string, Q extends string> {
  readonly #plan: ClientPlan<C, Q>
  /** Of the client itself, so that what befalls it does not change what the workload draws. */
  readonly #own: Chance
  #ids = 0
  /** What the first and only attempt has thrown. */
  #clean: unknown

  constructor(plan: ClientPlan<C, Q>) {
    this.#plan = plan
    this.#own = new Chance(plan.seed, 8, plan.number)
  }

  id(): string {
    this.#ids += 1
    return `c${this.#plan.number}-${this.#ids}`
  }

  send<Type extends C>(command: CommandMessage<Type>): Promise<AppendResult> {
    const message = { ...command, id: command.id ?? this.id() }
    return this.#untilAcknowledged([message], (one) => one.send(message), true)
  }

  append(options: AppendOptions): Promise<AppendResult> {
    const given = Array.isArray(options.events)
      ? (options.events as readonly EventMessage[])
      : [options.events as EventMessage]
    const events = given.map((event) => ({ ...event, id: event.id ?? this.id() }))
    return this.#untilAcknowledged(events, (one) => one.append({ ...options, events }), false)
  }

  ask<Type extends Q, Answer>(
    query: QueryMessage<Type, unknown, Answer>,
    options: AskOptions = {},
  ): Promise<Answer> {
    return this.#insist((one) => one.ask(query, options), true)
  }

  call<T>(work: (app: App<C, Q>) => Promise<T>): Promise<T> {
    return this.#insist(work, false)
  }

  async wait(duration: Duration): Promise<void> {
    const { number, world, waiting } = this.#plan
    const time = milliseconds('The time to wait', duration)
    waiting.add(number)
    await world.wait(time)
    waiting.delete(number)
  }

  async #untilAcknowledged(
    messages: readonly (Message & { readonly id: string })[],
    work: (app: App<C, Q>) => Promise<AppendResult>,
    decided: boolean,
  ): Promise<AppendResult> {
    const { oracle, history } = this.#plan
    const [{ id, type, data } = { id: '', type: 'nothing', data: null }] = messages
    // What was refused before may be accepted now.
    for (const one of messages) oracle.refused.delete(one.id)
    try {
      const result = await this.#insist(work, decided)
      oracle.acknowledge({ id, type, data, result })
      history.say(`c${this.#plan.number}`, `${type} ${id} acknowledged at ${result.position}`)
      return result
    } catch (error) {
      // An attempt that nobody waits for any more may still succeed.
      if (error === this.#clean) for (const one of messages) oracle.refused.add(one.id)
      history.say(`c${this.#plan.number}`, `${type} ${id} refused: ${String(error)}`)
      throw error
    }
  }

  async #insist<T>(work: (app: App<C, Q>) => Promise<T>, decided: boolean): Promise<T> {
    const { world, history, duplicates } = this.#plan
    for (let attempts = 1; ; attempts += 1) {
      const process = this.#own.pick(this.#plan.processes)
      try {
        if (this.#own.is(0.05 * duplicates())) {
          attempts += 1
          history.mark('duplicate')
          this.#own
            .pick(this.#plan.processes)
            .call(work)
            .catch(() => undefined)
        }
        return await this.#inTime(process.call(work))
      } catch (error) {
        if (attempts === 1) this.#clean = error
        if (isFinal(error, decided)) throw error
        history.mark('a client tried again')
        await world.wait(this.#own.between(10, 300))
      }
    }
  }

  #inTime<T>(answer: Promise<T>): Promise<T> {
    const tired = Promise.withResolvers<never>()
    const cancel = this.#plan.world.after(patience, () =>
      tired.reject(new ThenceError('TIMEOUT', 'No answer came.')),
    )
    return Promise.race([answer, tired.promise]).finally(cancel)
  }
}

/** A client, ready for its workload. */
export function makeClient<C extends string, Q extends string>(
  plan: ClientPlan<C, Q>,
): SimulatedClient<C, Q> {
  const client = new Client(plan)
  return {
    number: plan.number,
    chance: new Chance(plan.seed, 7, plan.number),
    id: () => client.id(),
    send: (command) => client.send(command),
    append: (options) => client.append(options),
    ask: (query, options) => client.ask(query, options),
    call: (work) => client.call(work),
    runtime: { now: () => Math.floor(plan.world.now), id: () => client.id() },
    wait: (duration) => client.wait(duration),
  }
}
