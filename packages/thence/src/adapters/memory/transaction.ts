/**
 * All ports for the length of one transaction. Whoever keeps a port and uses it after the end gets an error, instead
 * of writing into somebody else's transaction.
 */
import { ThenceError } from '../../errors.ts'
import type { Awaitable } from '../../ports/awaitable.ts'
import type { Transaction } from '../../ports/database.ts'
import type { Sql } from '../../ports/sql.ts'
import { MemoryAudit } from './audit.ts'
import { MemoryCheckpoints } from './checkpoints.ts'
import { MemoryDeadLetters } from './dead-letters.ts'
import { MemoryDocuments } from './documents.ts'
import { MemoryEvents } from './events.ts'
import { MemoryInbox } from './inbox.ts'
import { MemoryJobs } from './jobs.ts'
import { MemoryLeases } from './leases.ts'
import { MemoryRetries } from './retries.ts'
import { MemorySizes } from './sizes.ts'
import { MemorySnapshots } from './snapshots.ts'
import { Journal } from './table.ts'
import { MemoryTimers } from './timers.ts'

/** Everything that is stored. */
export class Store {
  readonly journal: Journal = new Journal()
  readonly inbox: MemoryInbox
  readonly events: MemoryEvents
  readonly timers: MemoryTimers
  readonly snapshots: MemorySnapshots = new MemorySnapshots(this.journal)
  readonly documents: MemoryDocuments = new MemoryDocuments(this.journal)
  readonly audit: MemoryAudit = new MemoryAudit(this.journal)
  readonly jobs: MemoryJobs = new MemoryJobs(this.journal)
  readonly checkpoints: MemoryCheckpoints
  readonly retries: MemoryRetries
  readonly leases: MemoryLeases
  readonly sizes: MemorySizes
  readonly deadLetters: MemoryDeadLetters

  constructor(now: () => number) {
    this.inbox = new MemoryInbox(this.journal, now)
    this.events = new MemoryEvents(this.journal, this.inbox)
    this.leases = new MemoryLeases(this.journal, now)
    this.checkpoints = new MemoryCheckpoints(this.journal, now)
    this.retries = new MemoryRetries(this.journal, now)
    this.timers = new MemoryTimers(this.journal, now)
    this.deadLetters = new MemoryDeadLetters(this.journal, now, this.retries)
    this.sizes = new MemorySizes(this.events, this)
  }
}

type Method = (...parameters: unknown[]) => unknown

type Ports = Omit<Store, 'journal'>

/** Most transactions use few ports, so each is guarded when it is asked for. */
export class MemoryTransaction implements Transaction {
  readonly #store: Store
  readonly #guarded = new Map<keyof Ports, unknown>()
  #open = true

  constructor(store: Store) {
    this.#store = store
  }

  get events(): MemoryEvents {
    return this.#port('events')
  }

  get checkpoints(): MemoryCheckpoints {
    return this.#port('checkpoints')
  }

  get retries(): MemoryRetries {
    return this.#port('retries')
  }

  get leases(): MemoryLeases {
    return this.#port('leases')
  }

  get deadLetters(): MemoryDeadLetters {
    return this.#port('deadLetters')
  }

  get inbox(): MemoryInbox {
    return this.#port('inbox')
  }

  get timers(): MemoryTimers {
    return this.#port('timers')
  }

  get snapshots(): MemorySnapshots {
    return this.#port('snapshots')
  }

  get documents(): MemoryDocuments {
    return this.#port('documents')
  }

  get audit(): MemoryAudit {
    return this.#port('audit')
  }

  get jobs(): MemoryJobs {
    return this.#port('jobs')
  }

  get sizes(): MemorySizes {
    return this.#port('sizes')
  }

  get sql(): Sql {
    throw new ThenceError(
      'CAPABILITY_MISSING',
      'The memory adapter has no SQL. Use documents, or ' +
        "`sqlite({ database: new DatabaseSync(':memory:') })`, which keeps everything in memory too.",
    )
  }

  async savepoint<T>(work: () => Awaitable<T>): Promise<T> {
    this.#check()
    const { journal } = this.#store
    const mark = journal.mark()
    try {
      return await work()
    } catch (error) {
      // After the end the journal belongs to another transaction; ours is rolled back already.
      if (this.#open) journal.undo(mark)
      throw error
    }
  }

  end(): void {
    this.#open = false
  }

  #check(): void {
    if (!this.#open)
      throw new ThenceError(
        'STATE_INVALID',
        'The transaction has ended. Await what you do with it before its work returns.',
      )
  }

  #port<N extends keyof Ports>(name: N): Ports[N] {
    let port = this.#guarded.get(name) as Ports[N] | undefined
    if (port === undefined) {
      port = this.#guard<Ports[N]>(this.#store[name])
      this.#guarded.set(name, port)
    }
    return port
  }

  #guard<P extends object>(port: P): P {
    return new Proxy(port, {
      get: (target, name): unknown => {
        const method: unknown = Reflect.get(target, name)
        if (typeof method !== 'function') return method
        return (...parameters: unknown[]): unknown => {
          this.#check()
          return (method as Method).apply(target, parameters)
        }
      },
    })
  }
}
