/**
 * Running a user's transaction: within its time, once if that is asked for, and with what follows a commit done after it.
 */
import type { Aggregate } from '../decide/aggregate.ts'
import type { Executed } from '../decide/execute.ts'
import type { Snapshots } from '../decide/snapshot.ts'
import { isThenceError, ThenceError } from '../errors.ts'
import type { Duration } from '../internal/duration.ts'
import { milliseconds } from '../internal/duration.ts'
import { isDevelopment } from '../internal/environment.ts'
import type { OptionNames } from '../message/expect.ts'
import { expectFunction, expectOptions } from '../message/expect.ts'
import { encodeJson } from '../message/json.ts'
import { checkName } from '../message/name.ts'
import type { OwnTransaction, TransactOptions, Transaction } from '../ports/database.ts'
import type { Once } from '../ports/events.ts'
import type { Outcome, Remembered } from '../ports/inbox.ts'
import { aborted } from '../ports/wait.ts'
import { untilKnown } from '../store/again.ts'
import type { Store } from '../store/store.ts'
import type { Writer } from '../store/writer.ts'
import type { AppTransaction } from './transaction.ts'
import { appTransaction } from './transaction.ts'
import { Turns } from '../store/turns.ts'

export interface TransactionOptions {
  /**
   * Does the work once for this id: `consumer` is a name of your own for what is done, `id` that of the message, request
   * or job for which it is done. The inbox remembers both in the same transaction, for ever or as long as
   * `retention.inbox` of the app says. A second call doesn't run the work and gives what the first one gave.
   */
  readonly once?: { readonly consumer: string; readonly id: string }
  /** How long it may stay open; then it is rolled back. Default: the limit of the database, 30 s. */
  readonly timeout?: Duration
  /** Rolls back when it is aborted before the work has returned. */
  readonly signal?: AbortSignal
}

const optionNames: OptionNames<TransactionOptions> = { once: true, timeout: true, signal: true }

export interface TransactionResult<T> {
  /** What the work gave; with `once` as it comes back from JSON. */
  readonly value: T
  /** Of the last message that was appended; if there was none, the end of the log at that time. */
  readonly position: number
  /** Stands for all that was appended; see {@link AppendResult.token}. */
  readonly token: string
  /** True if an earlier call with the same `once` had done it, and nothing was done now. */
  readonly duplicate: boolean
}

/** What transactions need of the app. */
export interface Transacting {
  readonly store: Store
  readonly deciders: ReadonlyMap<string, Aggregate>
  readonly snapshots: Snapshots
  readonly timerSet: () => void
  /** Aborted when the app gives up on what is in hand. */
  readonly ending: AbortSignal
  /** The transaction that the user holds and will end; default: one of the store's. */
  readonly own?: OwnTransaction
}

/** The result of a work that is done once is kept with its inbox row; a reference is enough to answer again. */
const maxResult = 64 * 1024

const stopped = (): ThenceError =>
  new ThenceError(
    'APP_STOPPED',
    'The app stopped before the transaction was done; it was rolled back.',
  )

/** Rejects as soon as `signal` is aborted, whatever becomes of the work. */
const unless = async <T>(
  signal: AbortSignal | undefined,
  error: (signal: AbortSignal) => ThenceError,
  work: () => Promise<T>,
): Promise<T> => {
  if (signal === undefined) return work()
  if (signal.aborted) throw error(signal)
  const { promise, reject } = Promise.withResolvers<never>()
  const stop = (): void => reject(error(signal))
  signal.addEventListener('abort', stop, { once: true })
  return Promise.race([work(), promise]).finally(() => signal.removeEventListener('abort', stop))
}

const encodeResult = ({ consumer, id }: Once, value: unknown): string | undefined => {
  if (value === undefined) return undefined
  const text = encodeJson(`The result of ${consumer} for ${id}`, value)
  if (text.length <= maxResult) return text
  throw new ThenceError(
    'VALUE_NOT_STORABLE',
    `The result of ${consumer} for ${id} is ${text.length} characters of JSON; at most ${maxResult} are kept. Give ids instead.`,
  )
}

const nothing: Outcome = { stream: '', version: 0, position: 0, count: 0 }

/** Where the messages of the transaction stand. */
const placeOf = async ({ commit, transaction }: Writer): Promise<Outcome> => {
  if (commit === undefined) return { ...nothing, position: await transaction.events.head() }
  return { ...nothing, position: commit.to, count: commit.to - commit.from + 1 }
}

/** One call of `App.transaction`. */
class Call<C extends string, T> {
  readonly #work: (transaction: AppTransaction<C>) => Promise<T> | T
  readonly #on: Transacting
  readonly #options: TransactionOptions
  /** What is to be done after the commit. */
  readonly #after: (() => void)[] = []
  /** What this call has put into the inbox, committed or not. */
  #own: Remembered | undefined

  constructor(
    work: (transaction: AppTransaction<C>) => Promise<T> | T,
    on: Transacting,
    options: TransactionOptions,
  ) {
    this.#work = work
    this.#on = on
    this.#options = options
  }

  async run(): Promise<TransactionResult<T>> {
    const { once } = this.#options
    const { runtime } = this.#on.store.tools
    const result = await (once === undefined
      ? this.#transact()
      : untilKnown(runtime, (lost) => (lost ? this.#find(once) : this.#transact())))
    // A transaction of the user's own is not committed yet, and may never be.
    if (!result.duplicate && this.#on.own === undefined) for (const each of this.#after) each()
    return result
  }

  #transact(): Promise<TransactionResult<T>> {
    const { once, timeout } = this.#options
    const options =
      timeout === undefined ? {} : { timeout: milliseconds('timeout of transaction', timeout) }
    const turns = new Turns()
    const failed = (error: unknown): never => {
      turns.fail()
      throw error
    }
    const work = async (writer: Writer): Promise<TransactionResult<T>> => {
      const { inbox } = writer.transaction
      // First, so that of two that do the same at once the second waits, or finds it done.
      if (once !== undefined && !(await inbox.remember(once.consumer, once.id, nothing)))
        return this.#duplicate(writer.transaction, once)
      const value = await this.#attempt(writer, turns).catch(failed)
      const place = await placeOf(writer)
      const token = this.#on.store.tools.tokens.make(place)
      const result = { value, position: place.position, token, duplicate: false }
      return once === undefined
        ? result
        : { ...result, value: await this.#conclude(writer, once, { value, place }) }
    }
    // At once when the work fails: its rollback may take longer than what was not awaited. And when anything else does.
    return this.#begin(work, options).catch(failed)
  }

  #begin<R>(work: (writer: Writer) => Promise<R>, options: TransactOptions): Promise<R> {
    const { store, own } = this.#on
    return own === undefined ? store.transact(work, options) : store.within(own, work, options)
  }

  /** Runs the work, as long as nobody gives up. */
  #attempt(writer: Writer, turns: Turns): Promise<T> {
    const { store, deciders, snapshots, timerSet, ending } = this.#on
    const { signal } = this.#options
    const transaction = appTransaction({
      writer,
      tools: store.tools,
      turns,
      deciders,
      decided: (aggregate, executed: Executed) =>
        void this.#after.push(() => snapshots.consider(aggregate, executed)),
      timerSet: () => void this.#after.push(timerSet),
    })
    return unless(ending, stopped, () =>
      unless(signal, aborted, () => turns.run(() => this.#work(transaction))),
    )
  }

  /** Keeps the result beside the inbox row; gives it as it will be read back. */
  async #conclude(
    { transaction: { inbox } }: Writer,
    once: Once,
    { value, place }: { readonly value: T; readonly place: Outcome },
  ): Promise<T> {
    const result = encodeResult(once, value)
    const outcome = result === undefined ? place : { ...place, result }
    await inbox.conclude(once.consumer, once.id, outcome)
    this.#own = await inbox.recall(once.consumer, once.id)
    return (result === undefined ? undefined : JSON.parse(result)) as T
  }

  async #duplicate(
    { inbox }: Pick<Transaction, 'inbox'>,
    { consumer, id }: Once,
  ): Promise<TransactionResult<T>> {
    const found = await inbox.recall(consumer, id)
    return this.#resultOf(found ?? { ...nothing, time: 0 })
  }

  /** The answer to the commit was lost: whether it happened, the inbox knows. */
  async #find(once: Once): Promise<TransactionResult<T>> {
    const found = await this.#on.store.read(({ inbox }) => inbox.recall(once.consumer, once.id))
    if (found === undefined)
      throw new ThenceError('OUTCOME_UNKNOWN', 'The transaction is not there, or not yet.')
    return this.#resultOf(found)
  }

  #resultOf(found: Remembered): TransactionResult<T> {
    const { position, count, result } = found
    const own = this.#own
    // What another call has done meanwhile has another time, place or result.
    const isOwn =
      own !== undefined &&
      own.time === found.time &&
      own.position === position &&
      own.count === count &&
      own.result === result
    return {
      value: (result === undefined ? undefined : JSON.parse(result)) as T,
      position,
      token: this.#on.store.tools.tokens.make({ position, count }),
      duplicate: !isOwn,
    }
  }
}

const checkOnce = (once: Once, deciders: Transacting['deciders']): void => {
  if (isDevelopment) expectOptions('once', once, { consumer: true, id: true })
  const { consumer, id } = once
  checkName('The consumer of once', consumer)
  checkName('The id of once', id)
  if (![...deciders.values()].some(({ name }) => name === consumer)) return
  throw new ThenceError(
    'CONFIG_INVALID',
    `once.consumer is ${consumer}, the name of an aggregate, which remembers its commands under it. Take another name.`,
  )
}

const unknown = (once: Once | undefined, cause: unknown): ThenceError => {
  const advice =
    once === undefined
      ? 'Look whether its work is there before you do it again; with { once } the same call again would be safe.'
      : `The same call again, with once ${once.consumer} and ${once.id}, is safe.`
  return new ThenceError(
    'OUTCOME_UNKNOWN',
    `It is not known whether the transaction was committed: the store gave no answer. ${advice}`,
    { cause, details: { ...once } },
  )
}

/** See `App.transaction`. */
export async function runTransaction<C extends string, T>(
  work: (transaction: AppTransaction<C>) => Promise<T> | T,
  on: Transacting,
  options: TransactionOptions,
): Promise<TransactionResult<T>> {
  expectFunction('The work of a transaction', work)
  if (isDevelopment) expectOptions('transaction', options, optionNames)
  const { once } = options
  if (once !== undefined) checkOnce(once, on.deciders)
  try {
    return await new Call(work, on, options).run()
  } catch (error) {
    throw isThenceError(error, 'OUTCOME_UNKNOWN') ? unknown(once, error) : error
  }
}
