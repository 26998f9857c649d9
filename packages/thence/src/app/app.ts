/**
 * A running app: asked to do things, watched, and stopped.
 */
import type { FailurePolicy } from '../handle/failure-policy.ts'
import type { When } from '../internal/when.ts'
import { expectOptions } from '../message/expect.ts'
import type { CommandMessage, Recorded } from '../message/message.ts'
import type { QueryMessage } from '../message/query.ts'
import type { Meter, Metrics } from '../observe/metrics.ts'
import { expectListening } from '../observe/names.ts'
import type { Listener, SignalName, Signals } from '../observe/signals.ts'
import type { Database, OwnTransaction } from '../ports/database.ts'
import type { Scheduled } from '../store/later.ts'
import type { Store } from '../store/store.ts'
import type { ReadStreamOptions } from '../store/stream-pages.ts'
import type { AppendResult } from '../store/writer.ts'
import type { AppendOptions } from './append.ts'
import { checkedAppend } from './append.ts'
import type { AskOptions } from './ask.ts'
import { askProjection } from './ask.ts'
import { commandDoor, laterDoor } from './commands.ts'
import type { Engine } from './engine.ts'
import type { LifeOptions, StopOptions } from './life.ts'
import { Life } from './life.ts'
import type { Parts } from './parts.ts'
import type { After } from './reach.ts'
import type { ReadLogOptions } from './reading.ts'
import { checkLogRead, checkStreamRead } from './reading.ts'
import type { RebuildOptions } from './rebuild.ts'
import { rebuildProjection } from './rebuild.ts'
import type { Replayed, ReplayOptions } from './replay.ts'
import { replayHandler } from './replay.ts'
import type { Rebuilt } from './rebuilt.ts'
import { Schedules } from './schedules.ts'
import type { SettingOptions } from './settings.ts'
import { changeSettings, deciding, pausing, resuming } from './settings.ts'
import type { Transacting, TransactionOptions, TransactionResult } from './transact.ts'
import { runTransaction } from './transact.ts'
import type { AppTransaction } from './transaction.ts'
import type { UntilOptions } from './until.ts'
import { until } from './until.ts'
import type { WithinTransaction } from './within.ts'
import { runWithin } from './within.ts'

/** A running app. Get one by `app(…).start()`; end it by `stop()` or `await using`. */
export class App<C extends string = string, Q extends string = string> implements AsyncDisposable {
  readonly #parts: Parts
  readonly #store: Store
  readonly #signals: Signals
  readonly #meter: Meter
  readonly #life: Life
  readonly #engine: Engine
  readonly #schedules: Schedules

  /** @internal */
  constructor(parts: Parts, store: Store, options: LifeOptions) {
    this.#parts = parts
    this.#store = store
    this.#signals = options.signals
    this.#meter = options.meter
    this.#life = new Life(parts, store, options)
    this.#engine = this.#life.engine
    this.#schedules = new Schedules(store, this.#engine, (work) => this.#life.call(work))
  }

  /** The database it runs on, for inspection and operation (`thence/admin`). */
  get database(): Database {
    return this.#store.database
  }

  /** What waits for its time: look at it, cancel it, fire it now. */
  get schedules(): Schedules {
    return this.#schedules
  }

  /** @internal */
  begin(): Promise<void> {
    return this.#life.begin()
  }

  /**
   * Sends a command. If an aggregate decides it, this resolves when its events are committed, and gives them; if a
   * handler does it, when the command is recorded. With an `id` of your own, sending it again has no further effect
   * and gives the first result, also after OUTCOME_UNKNOWN: for a command that is decided as long as the inbox remembers it
   * (for ever, or as long as `retention.inbox` of the app says), for one that is recorded as long as the log has it. Another
   * command with that id is refused, however the first was sent.
   * @throws SCHEMA_INVALID, VALUE_NOT_STORABLE, REJECTED, MESSAGE_ID_REUSED, VERSION_CONFLICT (after 10 tries), OUTCOME_UNKNOWN,
   * STORE_…
   */
  send<Type extends C>(command: CommandMessage<Type>): Promise<AppendResult>
  /**
   * Sends a command later: it is validated now, kept in the store, and recorded when it is due, never early by the
   * database's clock, for the aggregate or handler that takes it. With an `id` of your own, sending it again keeps nothing
   * more, also after it was recorded, as long as the log has it.
   * @throws CONFIG_INVALID, SCHEMA_INVALID, VALUE_NOT_STORABLE, MESSAGE_ID_REUSED, OUTCOME_UNKNOWN, STORE_…
   */
  send<Type extends C>(command: CommandMessage<Type>, when: When): Promise<Scheduled>
  send(command: CommandMessage, when?: When): Promise<AppendResult | Scheduled> {
    const door = {
      store: this.#store,
      deciders: this.#parts.deciders,
      snapshots: this.#life.snapshots,
      signals: this.#signals,
    }
    if (when === undefined) return this.#life.call(() => commandDoor(command, door))
    return this.#life.call(async () => {
      const scheduled = await laterDoor(command, when, door)
      this.#engine.timerSet(scheduled.due)
      return scheduled
    })
  }

  /**
   * Asks a query. With `after` (the token that `send` or `append` gave, in whatever process, or a position) the answer
   * includes everything up to there.
   * @throws POSITION_TIMEOUT, TOKEN_INVALID, SCHEMA_INVALID, ABORTED
   */
  ask<Type extends Q, Answer>(
    query: QueryMessage<Type, unknown, Answer>,
    options: AskOptions = {},
  ): Promise<Answer> {
    const asking = { store: this.#store, engine: this.#engine, answerers: this.#parts.answerers }
    return this.#life.call(() => askProjection(query, asking, options) as Promise<Answer>)
  }

  /**
   * Appends events directly. With ids of your own the very same call again has no further effect, also after
   * OUTCOME_UNKNOWN.
   * @throws OUTCOME_UNKNOWN, VERSION_CONFLICT, CONDITION_FAILED, MESSAGE_ID_REUSED, MESSAGE_UNKNOWN, SCHEMA_INVALID, CONFIG_INVALID,
   * STORE_…
   */
  append(options: AppendOptions): Promise<AppendResult> {
    return this.#life.call(() => this.#store.append(checkedAppend(options)))
  }

  /**
   * Waits until a projection, a handler or a saga has come to what a token stands for (or to a position), in whatever
   * process it runs: everything up to there was done, or failed and waits, and the token's own messages were done.
   * @throws POSITION_TIMEOUT, TOKEN_INVALID, NOT_FOUND, CONFIG_INVALID, ABORTED, APP_STOPPED
   */
  until(after: After, options: UntilOptions): Promise<void> {
    const reaching = { store: this.#store, engine: this.#engine, parts: this.#parts }
    return this.#life.call(() => until(after, reaching, options))
  }

  /**
   * Runs `work` in one transaction: what it appends, sends and writes commits together, or nothing of it if it throws.
   * Nobody else writes meanwhile, so it waits for nothing but the transaction, and does nothing outside of the store. With
   * `once` it is done once, also after OUTCOME_UNKNOWN.
   * @throws what the work throws; TRANSACTION_NESTED, TRANSACTION_TIMEOUT, STATE_INVALID (a call was not awaited), ABORTED,
   * APP_STOPPED, OUTCOME_UNKNOWN, CONFIG_INVALID, NAME_INVALID, VALUE_NOT_STORABLE, STORE_…
   */
  transaction<T>(
    work: (transaction: AppTransaction<C>) => Promise<T> | T,
    options: TransactionOptions = {},
  ): Promise<TransactionResult<T>> {
    return this.#life.call(() => runTransaction(work, this.#transacting, options))
  }

  /**
   * Does its work inside a transaction that you hold with a library of your own: what it appends and sends commits with your
   * rows, or not at all. From its first append to your commit every other append waits, so call it last. If it throws, what it did is undone
   * and your transaction may go on. The app isn't told of your commit: it notices at its next poll, or by {@link App.wake}.
   * @throws CAPABILITY_MISSING, CONFIG_INVALID (another store, another isolation), STATE_INVALID (not open), and as `transaction`
   */
  within<T>(
    own: OwnTransaction,
    work: (transaction: WithinTransaction<C>) => Promise<T> | T,
    options: TransactionOptions = {},
  ): Promise<TransactionResult<T>> {
    return this.#life.call(() => runWithin(work, { ...this.#transacting, own }, options))
  }

  /** The messages of one stream, by version. @throws CONFIG_INVALID, NAME_INVALID */
  stream(name: string, options: ReadStreamOptions = {}): AsyncIterable<Recorded> {
    checkStreamRead(name, options)
    return this.#store.readStream(name, options)
  }

  /** The messages of the log, by position, up to its present end. @throws CONFIG_INVALID, NAME_INVALID */
  log(options: ReadLogOptions = {}): AsyncIterable<Recorded> {
    checkLogRead(options)
    return this.#store.readAll(options)
  }

  /**
   * Resolves when everything that has happened so far has had all its consequences: every subscription is at the end
   * of the log and no failed message waits for its next attempt. Parked messages and future timers are not waited for.
   */
  async whenIdle(options: { readonly signal?: AbortSignal } = {}): Promise<void> {
    expectOptions('whenIdle', options, { signal: true })
    await this.#engine.idle(options.signal)
  }

  /**
   * Builds a projection's view anew from the log, beside the one that serves, and switches to it in one transaction as
   * soon as it has caught up, or with `switch: 'manual'` when told to. Resolves when it serves (or is ready to). The view
   * before is kept for a while, as the way back. Tables with fixed names are rebuilt in place: they answer nothing
   * until they are whole.
   * @throws NOT_FOUND, STATE_INVALID (a rebuild is running; a message failed and is parked), HISTORY_TRUNCATED,
   * APP_STOPPED, ABORTED
   */
  rebuild(projection: string, options: RebuildOptions = {}): Promise<Rebuilt> {
    this.#life.check()
    const rebuilding = { store: this.#store, engine: this.#engine, parts: this.#parts }
    return rebuildProjection(projection, rebuilding, options)
  }

  /**
   * Gives messages to a handler again that it has done before: all, or those of a time, a stretch of the log, a stream, some
   * types, a key. It says by its option `replay` that it may. A job does it, with any running process, over restarts;
   * resolves when it has ended, `done`, `stopped` by itself after failures, or `cancelled`. Order per key, limits, failure
   * policy and dead letters are as always.
   * @throws REPLAY_REFUSED, HISTORY_TRUNCATED (what the handler said may have been removed by retention), NOT_FOUND,
   * CONFIG_INVALID, ABORTED (the replay goes on), APP_STOPPED (the next start goes on)
   */
  replay(handler: string, options: ReplayOptions = {}): Promise<Replayed> {
    this.#life.check()
    return replayHandler(handler, { store: this.#store, engine: this.#engine }, options)
  }

  /**
   * Has a subscription begin nothing new, in every process, until it is resumed; what is in hand is finished. It stays
   * so over restarts. One that is paused already keeps its first reason.
   * @throws NOT_FOUND
   */
  pause(subscription: string, options: SettingOptions = {}): Promise<void> {
    return this.#change({ ...options, name: subscription }, pausing)
  }

  /** Lets a paused subscription go on. @throws NOT_FOUND */
  resume(subscription: string, options: SettingOptions = {}): Promise<void> {
    return this.#change({ ...options, name: subscription }, resuming)
  }

  /**
   * Says what becomes of a message that fails for good, instead of what the part says; `null` gives the word back to it.
   * @throws NOT_FOUND, CONFIG_INVALID
   */
  setPolicy(
    subscription: string,
    policy: FailurePolicy | null,
    options: SettingOptions = {},
  ): Promise<void> {
    return this.#change({ ...options, name: subscription }, deciding(policy))
  }

  /**
   * Calls `listener` with every notable signal: what failed, and what changes how the app runs. With names, it hears
   * those signals and no others; the frequent ones, which come with every message or commit, are only heard by name.
   * What a listener throws is ignored. Returns how to stop listening.
   * @throws CONFIG_INVALID for a name that no signal has
   */
  listen(listener: Listener): () => void
  listen<N extends SignalName>(names: readonly N[], listener: Listener<N>): () => void
  listen<N extends SignalName>(first: Listener | readonly N[], listener?: Listener<N>): () => void {
    if (typeof first === 'function') return this.#signals.listen(first)
    expectListening(first, listener)
    return this.#signals.listenTo(first, listener as Listener<N>)
  }

  /** What this process has measured so far. Rates are the differences of two. */
  metrics(): Metrics {
    return this.#meter.read(this.#life.seen)
  }

  /** Looks at once for what an operator or another process did, instead of at the next poll. */
  wake(): void {
    this.#engine.look()
  }

  /**
   * Takes no new calls and begins nothing new, finishes the calls and the messages in hand, closes the database. Calling
   * it again waits for the same end. What hangs is told by the signal `stop-unfinished`, and left to itself at most three
   * seconds after the deadline.
   * @throws CONFIG_INVALID
   */
  stop(options: StopOptions = {}): Promise<void> {
    expectOptions('stop', options, { deadline: true })
    return this.#life.stop(options)
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop()
  }

  get #transacting(): Transacting {
    return {
      store: this.#store,
      deciders: this.#parts.deciders,
      snapshots: this.#life.snapshots,
      timerSet: () => this.#engine.timerSet(),
      ending: this.#life.ending,
    }
  }

  #change(
    options: Parameters<typeof changeSettings>[1],
    work: Parameters<typeof changeSettings>[2],
  ): Promise<void> {
    const on = { store: this.#store, engine: this.#engine }
    return this.#life.call(() => changeSettings(on, options, work))
  }
}
