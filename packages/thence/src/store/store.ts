/**
 * The log as the rooms see it: messages in, recorded messages out. Appends that stand for themselves share commits;
 * everything else happens in a transaction through a {@link Writer}.
 */
import { isStoreFailure, isThenceError, ThenceError } from '../errors.ts'
import { Inside } from '../internal/context.ts'
import { paged } from '../internal/paged.ts'
import { bytesOf } from '../internal/room.ts'
import type { Recorded } from '../message/message.ts'
import type { Awaitable } from '../ports/awaitable.ts'
import type {
  Database,
  OwnTransaction,
  ReadOptions,
  TransactOptions,
  Transaction,
} from '../ports/database.ts'
import type { Verdict } from '../ports/events.ts'
import { found, lostAppend, Rereading, untilKnown } from './again.ts'
import type { Outcome, Outcomes } from './lane.ts'
import { Lane } from './lane.ts'
import { type LogOptions, logPages } from './log-pages.ts'
import type { ReadStreamOptions } from './stream-pages.ts'
import { streamPages } from './stream-pages.ts'
import { Together } from './together.ts'
import { accept } from './verdict.ts'
import { tellVerdict } from './watch.ts'
import type { Append, AppendResult, Commit, Inline, Prepared, Tools } from './writer.ts'
import { Appendices, prepare, resultOf, Writer, writtenBefore } from './writer.ts'

/** How a commit came about. */
interface Made {
  /** When it began, by `elapsed`. */
  readonly start: number
  readonly appends: number
  /** How long the first append has waited for it, in milliseconds. */
  readonly waited: number
}

/** One of the tries of a batch. */
interface Try {
  /** How long its first append has waited, in milliseconds. */
  readonly waited: number
  /** Whether the answer to an earlier try was lost. */
  readonly lost: boolean
}

export class Store {
  readonly database: Database
  readonly tools: Tools
  readonly #inline: Inline | undefined
  readonly #inside = new Inside()
  readonly #lane: Lane<Prepared, AppendResult>
  readonly #together: Together | undefined
  readonly #listeners = new Set<(commit: Commit) => void>()
  #head = 0

  constructor(database: Database, tools: Tools, inline?: Inline) {
    this.database = database
    this.tools = tools
    this.#inline = inline
    const commit = (batch: readonly Prepared[], waited: number): Promise<Outcomes<AppendResult>> =>
      this.#settle(batch, waited)
    const { remote } = database.capabilities
    if (remote) this.#together = new Together((work) => this.read(work, { apart: true }))
    this.#lane = new Lane(commit, tools.runtime, { ...tools.appends, remote })
  }

  /** The last position of the log, as far as this process knows. */
  get head(): number {
    return this.#head
  }

  /** The log was seen to reach so far. */
  saw(head: number): void {
    this.#head = Math.max(this.#head, head)
  }

  /** Calls `listener` after every commit of this process that wrote to the log; returns how to stop that. */
  onCommit(listener: (commit: Commit) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /**
   * Appends, in one commit with whatever else arrives now. When it resolves, all messages are committed. If the answer
   * of the database is lost, the same is sent again by itself.
   * @throws OUTCOME_UNKNOWN, VERSION_CONFLICT, CONDITION_FAILED, MESSAGE_ID_REUSED, VALUE_NOT_STORABLE, SCHEMA_INVALID, TRANSACTION_NESTED,
   * STORE_OVERLOADED, STORE_…
   */
  async append(append: Append): Promise<AppendResult> {
    this.refuseInside()
    const prepared = prepare(append, this.tools)
    const bytes = prepared.request.messages.reduce((sum, message) => sum + bytesOf(message), 0)
    return this.#lane.add(prepared, bytes)
  }

  /** Throws TRANSACTION_NESTED to whoever calls from inside a transaction of this store. */
  refuseInside(): void {
    this.#inside.refuse()
  }

  /** Runs `work` in one write transaction and wakes readers after the commit. */
  transact<T>(work: (writer: Writer) => Awaitable<T>, options?: TransactOptions): Promise<T> {
    return this.#transact(work, { waited: 0, ...(options === undefined ? {} : { options }) })
  }

  /**
   * Runs `work` in a transaction that the user holds. Nobody is woken: whether and when it commits is not known here.
   * @throws CAPABILITY_MISSING where the adapter can't do that
   */
  async within<T>(
    own: OwnTransaction,
    work: (writer: Writer) => Awaitable<T>,
    options: TransactOptions = {},
  ): Promise<T> {
    const { database } = this
    if (database.join === undefined)
      throw new ThenceError(
        'CAPABILITY_MISSING',
        `within works in a transaction that you hold; ${database.name} cannot. Use transaction, or PostgreSQL.`,
      )
    const run = (transaction: Transaction): Awaitable<T> =>
      this.#inside.run(() => work(new Writer(transaction, this.tools, this.#inline)))
    // What an inline view reads and then writes must not be lost to another transaction.
    return database.join(own, run, { ...options, alone: this.#inline !== undefined })
  }

  read<T>(work: (transaction: Transaction) => Awaitable<T>, options?: ReadOptions): Promise<T> {
    return this.database.read((transaction) => this.#inside.run(() => work(transaction)), options)
  }

  /** Runs `work` together with what else is to be read now; each question of it may see a state of its own. */
  readTogether<T>(work: (transaction: Transaction) => Promise<T>): Promise<T> {
    return this.#together?.add(work) ?? this.read(work, { apart: true })
  }

  /** A stream's messages in order of version, a page at a time. */
  readStream(
    stream: string,
    options?: ReadStreamOptions,
  ): AsyncIterableIterator<Recorded, undefined> {
    return streamPages(options, {
      read: (page) => this.read(({ events }) => events.readStream(stream, page), { apart: true }),
      decode: (message) => this.tools.codec.decode(message),
    })
  }

  /** The log in order of position, a page at a time, up to its head when a page that is not full was read. */
  readAll(options: LogOptions = {}): AsyncIterableIterator<Recorded, undefined> {
    const next = logPages(options, (page) =>
      this.read(({ events }) => events.readAll(page), { apart: true }),
    )
    return paged(next, (message) => this.tools.codec.decode(message))
  }

  async #settle(batch: readonly Prepared[], waited: number): Promise<Outcomes<AppendResult>> {
    try {
      return await untilKnown(this.tools.runtime, (lost) =>
        this.#inline === undefined
          ? this.#commit(batch, { waited, lost })
          : this.#commitInline(batch, { waited, lost }),
      )
    } catch (error) {
      if (!isThenceError(error, 'OUTCOME_UNKNOWN')) throw error
      return () => batch.map(({ request }) => ({ error: lostAppend(request, error) }))
    }
  }

  async #commit(
    batch: readonly Prepared[],
    { waited, lost }: Try,
  ): Promise<Outcomes<AppendResult>> {
    const start = this.tools.runtime.elapsed()
    const verdicts = await this.database.append(batch.map(({ request }) => request))
    const appendices = new Appendices()
    for (const [index, verdict] of verdicts.entries())
      if (verdict.outcome === 'appended')
        appendices.add(verdict, (batch[index] as Prepared).request.messages)
    const { commit, length: appends } = appendices
    if (commit !== undefined) this.#committed(commit, { start, waited, appends })
    return async () => {
      const outcomes: Outcome<AppendResult>[] = []
      const rereading = lost ? new Rereading(this.tools.runtime) : undefined
      for (const [index, prepared] of batch.entries())
        outcomes.push(await this.#outcome(prepared, verdicts[index] as Verdict, rereading))
      return outcomes
    }
  }

  /** @param rereading if the answer to an earlier try was lost. */
  async #outcome(
    prepared: Prepared,
    verdict: Verdict,
    rereading: Rereading | undefined,
  ): Promise<Outcome<AppendResult>> {
    const { tools } = this
    const { request } = prepared
    try {
      if (rereading === undefined) tellVerdict(tools.watch, request, verdict)
      const at = accept(request, verdict)
      if (verdict.outcome !== 'duplicate') return { value: resultOf(prepared, at, tools) }
      // What was written stays as it is, so its parts may be read apart.
      const read = (): Promise<AppendResult> =>
        this.read((transaction) => writtenBefore(transaction, { request, at }, tools), {
          apart: true,
        })
      if (rereading === undefined) return { value: await read() }
      return { value: found(prepared, await rereading.of(request, read)) }
    } catch (error) {
      return { error }
    }
  }

  /** With inline projections: a savepoint each, so that one view that throws takes only its own append with it. */
  async #commitInline(
    batch: readonly Prepared[],
    { waited, lost }: Try,
  ): Promise<Outcomes<AppendResult>> {
    const write = async (writer: Writer): Promise<readonly Outcome<AppendResult>[]> => {
      const outcomes: Outcome<AppendResult>[] = []
      for (const prepared of batch) {
        try {
          const value = await writer.savepoint(() => writer.write(prepared))
          outcomes.push({ value: lost ? found(prepared, value) : value })
        } catch (error) {
          if (isStoreFailure(error)) throw error
          outcomes.push({ error })
        }
      }
      return outcomes
    }
    const outcomes = await this.#transact(write, { waited })
    return () => outcomes
  }

  async #transact<T>(
    work: (writer: Writer) => Awaitable<T>,
    { waited, options }: { readonly waited: number; readonly options?: TransactOptions },
  ): Promise<T> {
    let commit: Commit | undefined
    let made = { start: 0, appends: 0 }
    const result = await this.database.transact(async (transaction) => {
      const start = this.tools.runtime.elapsed()
      const writer = new Writer(transaction, this.tools, this.#inline)
      const value = await this.#inside.run(() => work(writer))
      commit = writer.commit
      made = { start, appends: writer.appends }
      return value
    }, options)
    if (commit !== undefined) this.#committed(commit, { waited, ...made })
    return result
  }

  #committed(commit: Commit, { start, appends, waited }: Made): void {
    this.saw(commit.to)
    for (const listener of this.#listeners) listener(commit)
    const { watch, runtime } = this.tools
    if (watch?.wantsCommits === true)
      watch.committed({ ...commit, appends, waited, took: runtime.elapsed() - start })
  }
}
