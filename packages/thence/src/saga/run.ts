/**
 * A saga as a sink of a subscription: its facts, its commands, its timers and the checkpoint commit together.
 */
import { ThenceError } from '../errors.ts'
import { Recent } from '../internal/recent.ts'
import { retryPolicy } from '../handle/retry.ts'
import { encode, issue } from '../message/codec.ts'
import type { Recorded } from '../message/message.ts'
import { causedBy } from '../message/trace.ts'
import type { SagaSignal } from '../observe/saga-signals.ts'
import type { Signals } from '../observe/signals.ts'
import type { Transaction } from '../ports/database.ts'
import type { DocumentChange } from '../ports/documents.ts'
import { pageBytes, pageSize } from '../store/stream-pages.ts'
import type { Tools, Writer } from '../store/writer.ts'
import type { Run, Sink } from '../subscribe/sink.ts'
import type { SubscriptionOptions } from '../subscribe/options.ts'
import type { SagaState, SagaTimer } from './facts.ts'
import { evolve, newState } from './facts.ts'
import { react } from './react.ts'
import type { Saga } from './saga.ts'
import { typesOf } from './saga.ts'
import { signalsOf, wantsTurn } from './tell.ts'
import type { PlannedTimer, TurnResult } from './turn.ts'

/** Whether an instance can have timers at all. */
const mayTime = ({ steps, on }: Saga): boolean =>
  on.size > 0 ||
  steps.some(({ timeout, retry, pivot }) => timeout !== undefined || retry.attempts > 1 || pivot)

/** Instances whose state is kept in memory; the others are read from their streams. */
const remembered = 5000

/** The collection of documents that lists the open instances of a saga. */
export const openSagas = (saga: string): string => `$sagas/${saga}`

const keyOf = (saga: Saga, message: Recorded): string | undefined =>
  message.type === saga.facts.timerFired.type ? (message.data as SagaTimer).key : saga.key(message)

export interface Instance {
  readonly saga: Pick<Saga, 'name' | 'initial'>
  readonly key: string
  readonly from?: SagaState | undefined
}

/**
 * The state of an instance whose stream does not begin where it should: it has ended, if its stream was ended for good;
 * undefined if nothing was removed.
 * @throws HISTORY_TRUNCATED
 */
const removedState = async (
  { events }: Transaction,
  stream: string,
): Promise<SagaState | undefined> => {
  const info = await events.stream(stream)
  if (info === undefined || info.trimmed === 0) return undefined
  if (info.tombstone) return { ...newState(undefined), status: 'completed', version: info.version }
  throw new ThenceError(
    'HISTORY_TRUNCATED',
    `The saga instance ${stream} cannot be loaded: its messages up to version ${info.trimmed} were removed.`,
    { details: { stream, trimmed: info.trimmed } },
  )
}

/** The state of one instance, from its stream, beginning at `from` if that is known. */
export async function loadSaga(
  transaction: Transaction,
  { codec }: Pick<Tools, 'codec'>,
  { saga, key, from }: Instance,
): Promise<SagaState> {
  let state = from ?? newState(saga.initial())
  for (;;) {
    const stream = `${saga.name}-${key}`
    const next = state.version + 1
    const range = { from: next, limit: pageSize, maxBytes: pageBytes }
    const page = await transaction.events.readStream(stream, range)
    const first = page[0]
    if (first === undefined ? state.version === 0 : first.version !== next) {
      const removed = await removedState(transaction, stream)
      if (removed !== undefined) return removed
    }
    for (const stored of page) {
      const { type, data, metadata } = codec.decode(stored)
      state = evolve(saga.name, state, { type, data, mark: metadata.saga })
    }
    // One that is bounded by bytes may be short and yet not the last.
    if (page.length === 0) return state
  }
}

/** Who is told what after a commit. */
export interface SagaTold {
  readonly signals: Signals
  /** Timers were set. */
  readonly onTimer: () => void
}

interface Use extends SagaTold {
  readonly tools: Tools
  readonly known: Recent<string, SagaState>
}

/** What the list of open instances says of one. */
interface Open {
  /** Unix milliseconds. */
  readonly since: number
}

/** An instance that has had its turn. */
interface Turned {
  readonly key: string
  readonly before: SagaState
  readonly result: TurnResult
}

const unlessItThrows = <T>(work: () => T): T | undefined => {
  try {
    return work()
  } catch {
    return undefined
  }
}

class SagaRun implements Run {
  readonly #saga: Saga
  readonly #tools: Tools
  readonly #writer: Writer
  readonly #known: Recent<string, SagaState>
  readonly #told: SagaTold
  readonly #signals: SagaSignal[] = []
  readonly #turns: Turned[] = []
  #timersSet = false
  readonly #changed = new Map<string, SagaState>()

  constructor(saga: Saga, writer: Writer, use: Use) {
    this.#saga = saga
    this.#writer = writer
    this.#tools = use.tools
    this.#known = use.known
    this.#told = use
  }

  async apply(message: Recorded): Promise<void> {
    const key = keyOf(this.#saga, message)
    if (key !== undefined) await this.#turn(message, key)
  }

  async flush(): Promise<void> {
    await this.#note()
    await this.#index()
  }

  committed(): void {
    for (const [key, state] of this.#changed) this.#known.set(key, state)
    if (this.#timersSet) this.#told.onTimer()
    for (const signal of this.#signals) this.#told.signals.emitFrequent(signal)
  }

  async #turn(message: Recorded, key: string): Promise<void> {
    const turned = await this.#react(message, key)
    const { result } = turned
    if (result.messages.length > 0) await this.#append(turned, message)
    await this.#timers(result, { key, message })
    this.#turns.push(turned)
    this.#changed.set(key, result.state)
  }

  /**
   * What is remembered of an instance is enough to write by: the append asks whether it is still true. Where nothing comes of it, or it
   * fails, it may be that others have added to the stream since, so that is read first.
   */
  async #react(message: Recorded, key: string): Promise<Turned> {
    const { runtime } = this.#tools
    const moment = { now: runtime.now(), random: runtime.random() }
    const by = (before: SagaState): Turned => ({
      key,
      before,
      result: react(this.#saga, before, { key, message, moment }),
    })
    const changed = this.#changed.get(key)
    if (changed !== undefined) return by(changed)
    const known = this.#known.get(key)
    if (known !== undefined) {
      const turned = unlessItThrows(() => by(known))
      if (turned !== undefined && turned.result.messages.length > 0) return turned
    }
    const { transaction } = this.#writer
    return by(await loadSaga(transaction, this.#tools, { saga: this.#saga, key, from: known }))
  }

  async #append({ key, before, result }: Turned, message: Recorded): Promise<void> {
    try {
      await this.#writer.append({
        stream: `${this.#saga.name}-${key}`,
        expected: before.version === 0 ? 'none' : before.version,
        messages: result.messages,
        parent: causedBy(message),
      })
    } catch (error) {
      // The next attempt reads it.
      this.#known.delete(key)
      throw error
    }
  }

  /** For whoever listens to what the turns have to tell. */
  async #note(): Promise<void> {
    const { signals } = this.#told
    const turns = this.#turns.filter(({ before, result }) => wantsTurn(signals, before, result))
    const ended = turns.filter(({ result }) => result.ended).map(({ key }) => key)
    const { documents } = this.#writer.transaction
    const open = ended.length === 0 ? [] : await documents.getAll(openSagas(this.#saga.name), ended)
    const begun = new Map(open.map(({ key, value }) => [key, JSON.parse(value) as Open]))
    const now = this.#tools.runtime.now()
    for (const { key, result } of turns) {
      const lasted = now - (begun.get(key)?.since ?? now)
      this.#signals.push(...signalsOf(this.#saga, result.messages, { key, lasted }))
    }
  }

  /** Keeps the list of open instances, for operators. */
  async #index(): Promise<void> {
    const open: Open = { since: this.#tools.runtime.now() }
    const opened = JSON.stringify(open)
    const changes = this.#turns.flatMap(({ key, before, result }): DocumentChange[] => {
      const { ended, messages } = result
      if (ended) return [{ key, value: null }]
      return before.status === 'new' && messages.length > 0 ? [{ key, value: opened }] : []
    })
    if (changes.length === 0) return
    await this.#writer.transaction.documents.putAll(openSagas(this.#saga.name), changes)
  }

  async #timers(result: TurnResult, from: { key: string; message: Recorded }): Promise<void> {
    const { timers } = this.#writer.transaction
    if (result.ended) {
      if (mayTime(this.#saga)) await timers.cancelAll(`${this.#saga.name}-${from.key}`)
      return
    }
    for (const id of result.cancel) await timers.cancel(id)
    for (const planned of result.set) await timers.set(this.#timer(planned, from))
    this.#timersSet ||= result.set.length > 0
  }

  #timer(
    { id, delay, timer }: PlannedTimer,
    { key, message }: { key: string; message: Recorded },
  ): Parameters<Transaction['timers']['set']>[0] {
    const { runtime } = this.#tools
    const definition = this.#saga.facts.timerFired
    const made = issue(definition, definition(timer), {
      id: runtime.id(),
      parent: causedBy(message),
    })
    return {
      id,
      owner: `${this.#saga.name}-${key}`,
      due: { in: delay },
      stream: `${this.#saga.name}.timers`,
      message: encode(made, runtime.now()),
    }
  }
}

const sinkOf = (saga: Saga, tools: Tools, told: SagaTold): Sink => {
  const known = new Recent<string, SagaState>(remembered)
  return {
    sideBySide: true,
    open: (writer) => new SagaRun(saga, writer, { ...told, tools, known }),
  }
}

/** The subscription of a saga. */
export function sagaSubscription(saga: Saga, tools: Tools, told: SagaTold): SubscriptionOptions {
  return {
    name: saga.name,
    types: typesOf(saga),
    key: (message) => keyOf(saga, message) ?? message.stream,
    keyVersion: saga.keyVersion,
    retry: retryPolicy(`Saga ${saga.name}`),
    partitions: saga.partitions,
    onFailure: saga.onFailure,
    batch: 500,
    concurrency: 1,
    sink: sinkOf(saga, tools, told),
  }
}
