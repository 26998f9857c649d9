/**
 * A store in memory that several Database objects can share, as processes share a file: one gate that all transactions
 * go through, and one clock, that of the database itself.
 */
import { ThenceError } from '../../errors.ts'
import { Gate } from '../../internal/gate.ts'
import type { Listener } from '../../ports/listening.ts'
import type { Runtime } from '../../ports/runtime.ts'
import { Store } from './transaction.ts'

/** What a store needs of time. */
export type MemoryClock = Pick<Runtime, 'now' | 'after'>

export interface MemoryStoreOptions {
  /** The database's own clock; default: the runtime of the connection that is opened first. */
  readonly clock?: MemoryClock
}

const unopened = (): ThenceError =>
  new ThenceError('STATE_INVALID', 'No connection to this store was opened yet.')

/** What `memory({ store })` connects to. It lives as long as someone holds it. */
export class MemoryStore {
  /** @internal */
  readonly gate: Gate = new Gate()
  /** @internal */
  readonly tables: Store = new Store(() => this.clock.now())
  /** @internal Who is told where the log goes. */
  readonly listeners: Set<Listener> = new Set()
  #clock: MemoryClock | undefined
  #identity: string | undefined

  /** @internal */
  constructor({ clock }: MemoryStoreOptions) {
    this.#clock = clock
  }

  /** @internal */
  get clock(): MemoryClock {
    if (this.#clock !== undefined) return this.#clock
    throw unopened()
  }

  /** @internal */
  get identity(): string {
    if (this.#identity !== undefined) return this.#identity
    throw unopened()
  }

  /** @internal The first that comes sets the clock. */
  opened(runtime: Runtime): void {
    this.#clock ??= runtime
    this.#identity ??= runtime.id()
  }
}

/** A new, empty store. Each `memory({ store })` is a connection of its own, as each process has one to a database. */
export function memoryStore(options: MemoryStoreOptions = {}): MemoryStore {
  return new MemoryStore(options)
}
