/**
 * What an app does about old messages by itself: it follows its policy at intervals, and keeps count of how large the
 * store is.
 */
import type { Snapshots } from '../decide/snapshot.ts'
import { isThenceError, ThenceError } from '../errors.ts'
import { categoryOf } from '../message/name.ts'
import type { Signals } from '../observe/signals.ts'
import type { Cancel } from '../ports/runtime.ts'
import type { Retention, RetentionOptions } from '../retain/policy.ts'
import { retentionOf } from '../retain/policy.ts'
import { loadLastRun, runRetention, savePolicy } from '../retain/run.ts'
import { systemActor } from '../store/audit.ts'
import type { Store } from '../store/store.ts'
import type { Parts } from './parts.ts'
import { standingOf } from './standing.ts'

/** How often it looks whether something is to be done, at most, in milliseconds. */
const lookEvery = 60_000
/** Positions that are counted in one transaction. */
const measureBatch = 5000

const invalid = (message: string): ThenceError => new ThenceError('CONFIG_INVALID', message)

/**
 * The retention of an app, checked against its parts: a rule that could never remove anything is a mistake.
 * @throws CONFIG_INVALID, NAME_INVALID
 */
export function retentionFor(options: RetentionOptions, parts: Parts): Retention {
  const sagas = parts.sagas.map(({ name }) => name)
  const retention = retentionOf(options, sagas)
  for (const { name, category, stream, tombstone } of retention.policy.rules) {
    const about = category ?? categoryOf(stream ?? '')
    if (tombstone) continue
    if (sagas.includes(about))
      throw invalid(
        `Retention of ${name}: a saga needs its whole stream. Give remove: 'streams' and tombstone: true; ` +
          'then an instance goes once it has ended.',
      )
    const aggregate = parts.aggregates.find((one) => one.name === about)
    if (aggregate !== undefined && aggregate.snapshot === undefined)
      throw invalid(
        `Retention of ${name}: the aggregate ${about} takes no snapshots, so it needs its whole stream. Give it ` +
          "snapshots, or give remove: 'streams' and tombstone: true.",
      )
  }
  return retention
}

export interface KeeperOptions {
  readonly retention: Retention | undefined
  readonly parts: Parts
  readonly signals: Signals
  readonly snapshots: Snapshots
}

export class Keeper {
  readonly #store: Store
  readonly #options: KeeperOptions
  readonly #stopping = new AbortController()
  #cancel: Cancel = () => undefined
  #working: Promise<void> | undefined

  constructor(store: Store, options: KeeperOptions) {
    this.#store = store
    this.#options = options
  }

  async start(): Promise<void> {
    const { retention } = this.#options
    if (retention !== undefined)
      await this.#store.transact(({ transaction }) => savePolicy(transaction, retention.policy))
    this.#plan()
  }

  /** What is in hand is finished. */
  async stop(): Promise<void> {
    this.#stopping.abort()
    this.#cancel()
    await this.#working
  }

  #plan(): void {
    if (this.#stopping.signal.aborted) return
    const every = this.#options.retention?.policy.every ?? lookEvery
    this.#cancel = this.#store.tools.runtime.after(Math.min(every, lookEvery), () => {
      this.#working = this.#look().finally(() => this.#plan())
    })
  }

  async #look(): Promise<void> {
    try {
      await this.#measure()
      if (await this.#isDue()) await this.#run()
    } catch (error) {
      // Another process does it, or this one ends.
      if (isThenceError(error, 'STATE_INVALID') || isThenceError(error, 'ABORTED')) return
      this.#options.signals.emit({ name: 'retention-failed', error })
    }
  }

  async #measure(): Promise<void> {
    const { signal } = this.#stopping
    for (let left = 1; left > 0 && !signal.aborted;)
      left = await this.#store.transact(({ transaction }) =>
        transaction.sizes.measure(measureBatch),
      )
  }

  async #isDue(): Promise<boolean> {
    const { retention } = this.#options
    if (retention === undefined) return false
    const last = await this.#store.read(loadLastRun)
    const now = this.#store.tools.runtime.now()
    return last === undefined || Math.abs(now - last.time) >= retention.policy.every
  }

  async #run(): Promise<void> {
    const { retention, signals } = this.#options
    if (retention === undefined) return
    const { policy, archives } = retention
    const { runtime } = this.#store.tools
    const start = runtime.elapsed()
    const { rules } = await runRetention(policy, {
      database: this.#store.database,
      runtime,
      actor: systemActor,
      standing: (transaction) => standingOf(transaction, policy.ignore),
      snapshot: (stream) => this.#snapshot(stream),
      archiveOf: ({ name }) => archives.get(name),
      signal: this.#stopping.signal,
    })
    const removed = rules.reduce((sum, one) => sum + one.removed, 0)
    const held = rules.filter((one) => one.held.length > 0).length
    if (removed + held > 0)
      signals.emit({ name: 'retention-run', removed, held, took: runtime.elapsed() - start })
  }

  /** Takes a snapshot of a stream that is to be trimmed. */
  async #snapshot(stream: string): Promise<boolean> {
    const { parts, snapshots } = this.#options
    const aggregate = parts.aggregates.find(({ name }) => name === categoryOf(stream))
    return aggregate !== undefined && snapshots.take(aggregate, stream)
  }
}
