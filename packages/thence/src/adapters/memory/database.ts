/**
 * A database in the memory of this process, gone when it ends: the executable specification of the ports, and the
 * fastest thing to test an app on. It refuses SQL.
 */
import { ThenceError } from '../../errors.ts'
import type { Awaitable } from '../../ports/awaitable.ts'
import type {
  Capabilities,
  Database,
  MigrationPlan,
  TransactOptions,
  Transaction,
} from '../../ports/database.ts'
import type { AppendRequest, Verdict } from '../../ports/events.ts'
import type { Listener, Listening } from '../../ports/listening.ts'
import type { Runtime } from '../../ports/runtime.ts'
import type { OptionNames } from '../../message/expect.ts'
import { expectOptions, expectTime } from '../../message/expect.ts'
import { MemoryListening, tellAll } from './listening.ts'
import { type MemoryClock, type MemoryStore, memoryStore } from './store.ts'
import { MemoryTransaction } from './transaction.ts'

export interface MemoryOptions {
  /** How long a transaction may stay open, in milliseconds; default 30 000. */
  readonly transactionTimeout?: number
  /** The store to connect to, from `memoryStore()`; default: a new one, which nobody else can reach. */
  readonly store?: MemoryStore
}

const optionNames: OptionNames<MemoryOptions> = { transactionTimeout: true, store: true }

/** A database in memory: a connection to the given store, or to a new and empty one. */
export function memory(options: MemoryOptions = {}): Database {
  expectOptions('memory', options, optionNames)
  return new MemoryDatabase(options)
}

// Not `instanceof`: what a query builder returns is often a thenable of its own.
const isPromise = <T>(value: Awaitable<T>): value is Promise<T> =>
  typeof value === 'object' && value !== null && 'then' in value

class MemoryDatabase implements Database {
  readonly name = 'memory'
  readonly capabilities: Capabilities
  readonly #store: MemoryStore
  readonly #limit: number
  #opened = false
  #closed = false
  /** What was called through this connection and is not done. */
  #calls = 0
  readonly #listening = new Set<Listening>()
  readonly #ended = Promise.withResolvers<void>()

  constructor({ store, transactionTimeout = 30_000 }: MemoryOptions) {
    const shared = store !== undefined
    this.capabilities = Object.freeze({
      sql: false,
      durable: false,
      shared,
      notifies: true,
      remote: false,
    })
    this.#store = store ?? memoryStore()
    expectTime('transactionTimeout of memory', transactionTimeout)
    this.#limit = transactionTimeout
  }

  open(runtime: Runtime): void {
    this.#refuseIfClosed()
    this.#store.opened(runtime)
    this.#opened = true
  }

  plan(): MigrationPlan {
    this.#ready()
    return { current: 0, pending: [] }
  }

  async migrate(): Promise<MigrationPlan> {
    return this.plan()
  }

  async identity(): Promise<string> {
    this.#ready()
    return this.#store.identity
  }

  async append(requests: readonly AppendRequest[]): Promise<readonly Verdict[]> {
    const { events } = this.#store.tables
    return this.#run({ writes: true }, () => requests.map((request) => events.append(request)))
  }

  async transact<T>(
    work: (transaction: Transaction) => Awaitable<T>,
    options?: TransactOptions,
  ): Promise<T> {
    return this.#run({ writes: true, ...options }, work)
  }

  async read<T>(work: (transaction: Transaction) => Awaitable<T>): Promise<T> {
    return this.#run({ writes: false }, work)
  }

  listen(listener: Listener): Listening {
    this.#ready()
    const listening = new MemoryListening(this.#store.listeners, listener)
    this.#listening.add(listening)
    return listening
  }

  /** Waits for what was called before it through this connection, and for nobody else. */
  async close(): Promise<void> {
    this.#store.gate.refuseInside()
    this.#closed = true
    for (const listening of this.#listening) await listening.stop()
    if (this.#calls === 0) this.#ended.resolve()
    return this.#ended.promise
  }

  #run<T>(
    { writes, timeout = this.#limit }: TransactOptions & { readonly writes: boolean },
    work: (transaction: Transaction) => Awaitable<T>,
  ): Awaitable<T> {
    this.#ready()
    const { gate, tables, clock, listeners } = this.#store
    gate.refuseInside()
    this.#calls += 1
    const transact = async (): Promise<T> => {
      const transaction = new MemoryTransaction(tables)
      tables.journal.begin(writes)
      const before = tables.events.head()
      try {
        const working = work(transaction)
        const result = isPromise(working) ? await inTime(working, clock, timeout) : working
        const head = tables.events.head()
        if (head > before) tellAll(listeners, head)
        return result
      } catch (error) {
        tables.journal.undo(0)
        throw error
      } finally {
        transaction.end()
        tables.journal.end()
        this.#calls -= 1
        if (this.#closed && this.#calls === 0) this.#ended.resolve()
      }
    }
    return gate.run(transact)
  }

  #ready(): void {
    this.#refuseIfClosed()
    if (this.#opened) return
    throw new ThenceError(
      'STATE_INVALID',
      'The database was not opened. Call `open` with a runtime first.',
    )
  }

  #refuseIfClosed(): void {
    if (this.#closed) throw new ThenceError('STORE_CLOSED', 'The memory database was closed.')
  }
}

const inTime = async <T>(work: Promise<T>, clock: MemoryClock, limit: number): Promise<T> => {
  if (limit === Infinity) return work
  const { promise, reject } = Promise.withResolvers<never>()
  const cancel = clock.after(limit, () => {
    const what = `A transaction stayed open for more than ${limit} ms and was rolled back.`
    const advice = 'Do slow work (calls to other services) outside of it.'
    reject(new ThenceError('TRANSACTION_TIMEOUT', `${what} ${advice}`))
  })
  return Promise.race([work, promise]).finally(cancel)
}
