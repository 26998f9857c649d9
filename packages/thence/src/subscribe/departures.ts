/**
 * The partitions that end in this process while everything else in it goes on: those that are another's share are handed
 * over when what they have in hand is done, those that are not right any more are dropped at once.
 */
import type { Signals } from '../observe/signals.ts'
import type { Store } from '../store/store.ts'
import { leaseName } from './assign.ts'
import type { Partition } from './partition.ts'
import type { Subscription } from './subscription.ts'

export interface DeparturesOptions {
  readonly signals: Signals
  /** The id of this process, under which it holds its leases. */
  readonly owner: string
  /** One that was dropped has ended: its place can be taken by what is right now. */
  readonly dropped: () => void
}

/** Milliseconds for which slow calls have a partition stay, so that what else is in it does not wait for them. */
const patience = 30_000

export class Departures {
  readonly #store: Store
  readonly #options: DeparturesOptions
  /** When it was asked for first, by `elapsed`. */
  readonly #asked = new WeakMap<Partition, number>()
  readonly #leaving = new Map<Partition, Promise<void>>()
  readonly #dropping = new Map<Partition, Promise<void>>()

  constructor(store: Store, options: DeparturesOptions) {
    this.#store = store
    this.#options = options
  }

  /** Resolves when all that are under way by now have ended. */
  async ended(): Promise<void> {
    await Promise.all([...this.#leaving.values(), ...this.#dropping.values()])
  }

  isDropping(partition: Partition): boolean {
    return this.#dropping.has(partition)
  }

  /** It is this process's share, maybe again. */
  keep(partition: Partition): void {
    this.#asked.delete(partition)
  }

  #stays(partition: Partition): boolean {
    const now = this.#store.tools.runtime.elapsed()
    const asked = this.#asked.get(partition) ?? now
    this.#asked.set(partition, asked)
    return partition.slow && now - asked < patience
  }

  /** Ends it at once. The other leases of this process do not wait for that, however long it may take. */
  drop(subscription: Subscription, partition: Partition): void {
    if (this.#dropping.has(partition)) return
    const done = partition
      .reload()
      .catch(() => undefined)
      .then(() => subscription.end(partition, Promise.resolve()))
      .finally(() => {
        this.#dropping.delete(partition)
        this.#options.dropped()
      })
    this.#dropping.set(partition, done)
  }

  /**
   * Ends it when what it has in hand is done, and frees its lease for whoever's share it is. While a call takes long it
   * goes on, for a while: asked again later, it may be free to go.
   */
  handOver(subscription: Subscription, partition: Partition): void {
    if (this.#leaving.has(partition) || this.#stays(partition)) return
    const { owner, signals } = this.#options
    const { name } = subscription
    const lease = leaseName(name, partition.hold.partition)
    // One of its own each time: what waits for a promise that lives on would live on with it.
    const noDeadline = new Promise<void>(() => undefined)
    const done = subscription
      .end(partition, noDeadline)
      .then(() =>
        this.#store.transact(({ transaction }) => transaction.leases.release(lease, owner)),
      )
      .then(() => signals.emit({ name: 'lease-released', subscription: name, ...partition.hold }))
      // It stays ours until it is taken back at the next look, or our time is over.
      .catch(() => undefined)
      .finally(() => this.#leaving.delete(partition))
    this.#leaving.set(partition, done)
  }
}
