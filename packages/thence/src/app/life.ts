/**
 * The life of an app: what runs in it begins together, calls are taken until its end, and the end waits for those that are
 * not answered yet, as long as its deadline allows.
 */
import { Snapshots } from '../decide/snapshot.ts'
import { ThenceError } from '../errors.ts'
import type { Duration } from '../internal/duration.ts'
import { milliseconds } from '../internal/duration.ts'
import type { Meter, Seen } from '../observe/metrics.ts'
import type { Signals } from '../observe/signals.ts'
import type { Retention } from '../retain/policy.ts'
import type { Store } from '../store/store.ts'
import { Deadline } from './deadline.ts'
import type { EngineOptions } from './engine.ts'
import { Engine } from './engine.ts'
import type { Parts } from './parts.ts'
import { Reporter } from './reporter.ts'
import { Keeper } from './retention.ts'

export interface StopOptions {
  /** How long it may take to finish what is in hand; then it is aborted and will be done again. Default 10 s. */
  readonly deadline?: Duration
}

export interface LifeOptions extends EngineOptions {
  readonly meter: Meter
  readonly retention: Retention | undefined
  /** Whether the process tells of itself in the store. */
  readonly reports: boolean
}

export class Life {
  readonly engine: Engine
  readonly snapshots: Snapshots
  readonly #store: Store
  readonly #signals: Signals
  readonly #keeper: Keeper
  readonly #reporter: Reporter
  readonly #reports: boolean
  /** Aborted when the end is not put off any longer. */
  readonly #ending = new AbortController()
  /** What is not answered yet. */
  readonly #calls = new Set<Promise<unknown>>()
  #stopping: Promise<void> | undefined

  constructor(parts: Parts, store: Store, options: LifeOptions) {
    const { signals, meter, retention, reports } = options
    this.#store = store
    this.#signals = signals
    this.engine = new Engine(parts, store, options)
    this.snapshots = new Snapshots(store, signals)
    this.#keeper = new Keeper(store, { parts, signals, snapshots: this.snapshots, retention })
    const { member } = this.engine
    const subscriptions = () => this.engine.subscriptions
    const calls = (): number => this.#calls.size
    this.#reporter = new Reporter({ store, meter, member, subscriptions, calls })
    this.#reports = reports
  }

  /** Aborted when what is in hand is waited for no longer. */
  get ending(): AbortSignal {
    return this.#ending.signal
  }

  /** What the process saw of the store when it looked last. */
  get seen(): Seen {
    return this.#reporter.seen
  }

  async begin(): Promise<void> {
    try {
      await this.engine.start()
      await this.#keeper.start()
      if (this.#reports) this.#reporter.start()
    } catch (error) {
      // Some subscriptions may run already.
      await this.engine.stop(Promise.resolve())
      throw error
    }
  }

  /** Runs a call that the end waits for. @throws APP_STOPPED, TRANSACTION_NESTED */
  async call<T>(work: () => Promise<T>): Promise<T> {
    this.check()
    this.#store.refuseInside()
    const call = work()
    this.#calls.add(call)
    try {
      return await call
    } finally {
      this.#calls.delete(call)
    }
  }

  /** @throws APP_STOPPED */
  check(): void {
    if (this.#stopping !== undefined || this.engine.stopped)
      throw new ThenceError('APP_STOPPED', 'The app was stopped; start a new one.')
  }

  /** Ends it once, however often it is asked; everyone waits for the same end. @throws CONFIG_INVALID */
  stop({ deadline = 10_000 }: StopOptions): Promise<void> {
    this.#stopping ??= this.#stop(
      deadline === Infinity ? deadline : milliseconds('deadline of stop', deadline),
    )
    return this.#stopping
  }

  async #stop(deadline: number): Promise<void> {
    const { database, tools } = this.#store
    const end = new Deadline(deadline, tools.runtime, this.#signals)
    void end.passed.then(() => this.#ending.abort())
    this.#reporter.drain()
    const calls = Promise.allSettled(this.#calls)
    await Promise.all([
      end.within('subscriptions', this.engine.stop(end.passed, calls)),
      end.within('retention', this.#keeper.stop()),
    ])
    await Promise.all([
      end.within('snapshots', this.snapshots.drain()),
      end.within('report', this.#reporter.stop()),
    ])
    end.cancel()
    await end.within('database', Promise.resolve(database.close()))
  }
}
