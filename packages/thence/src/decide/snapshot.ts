/**
 * Writes snapshots after appends, beside the work: a snapshot that cannot be written changes no result.
 */
import { encodeJson } from '../message/json.ts'
import type { Signals } from '../observe/signals.ts'
import type { Store } from '../store/store.ts'
import type { Aggregate } from './aggregate.ts'
import type { Executed } from './execute.ts'
import { evolve, fold, snapshotTag } from './state.ts'

export class Snapshots {
  readonly #store: Store
  readonly #signals: Signals
  readonly #writing = new Set<Promise<unknown>>()

  constructor(store: Store, signals: Signals) {
    this.#store = store
    this.#signals = signals
  }

  /** Takes one if the append has crossed a multiple of `every`. Returns at once. */
  consider(aggregate: Aggregate, { result, before }: Executed): void {
    const { snapshot } = aggregate
    if (snapshot === undefined || before === undefined || result.events.length === 0) return
    // A duplicate's events are older than `before`, or lie behind others that it has not seen.
    if (result.duplicate || before.version + result.events.length !== result.version) return
    const { every } = snapshot
    if (Math.floor(before.version / every) === Math.floor(result.version / every)) return
    const state = result.events.reduce((now, event) => evolve(aggregate, now, event), before.state)
    const writing = this.#write(aggregate, result, state).finally(() =>
      this.#writing.delete(writing),
    )
    this.#writing.add(writing)
  }

  /** Takes one of the state as it is now; false if the aggregate takes none, or it could not be written. */
  async take(aggregate: Aggregate, stream: string): Promise<boolean> {
    if (aggregate.snapshot === undefined) return false
    const { codec } = this.#store.tools
    try {
      const { state, version } = await this.#store.read((transaction) =>
        fold(transaction, codec, { aggregate, stream }),
      )
      return version > 0 && (await this.#write(aggregate, { stream, version }, state))
    } catch (error) {
      this.#signals.emit({ name: 'snapshot-failed', stream, error })
      return false
    }
  }

  async drain(): Promise<void> {
    await Promise.all(this.#writing)
  }

  async #write(
    aggregate: Aggregate,
    { stream, version }: Pick<Executed['result'], 'stream' | 'version'>,
    state: unknown,
  ): Promise<boolean> {
    const tag = snapshotTag(aggregate.name, aggregate.snapshot?.tag ?? '')
    const { runtime } = this.#store.tools
    const start = runtime.elapsed()
    try {
      const text = encodeJson(`The state of ${aggregate.name}`, state)
      await this.#store.transact(({ transaction }) =>
        transaction.snapshots.save({ stream, version, tag, state: text }),
      )
      const took = runtime.elapsed() - start
      if (this.#signals.wants('snapshot-taken'))
        this.#signals.emitFrequent({ name: 'snapshot-taken', stream, version, took })
      return true
    } catch (error) {
      this.#signals.emit({ name: 'snapshot-failed', stream, error })
      return false
    }
  }
}
