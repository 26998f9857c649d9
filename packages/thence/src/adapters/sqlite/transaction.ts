/**
 * All ports bound to one open transaction, and its savepoints.
 */
import { ThenceError } from '../../errors.ts'
import type { Audit } from '../../ports/audit.ts'
import type { Awaitable } from '../../ports/awaitable.ts'
import type { Checkpoints } from '../../ports/checkpoints.ts'
import type { Transaction } from '../../ports/database.ts'
import type { DeadLetters } from '../../ports/dead-letters.ts'
import type { Documents } from '../../ports/documents.ts'
import type { Events } from '../../ports/events.ts'
import type { Inbox } from '../../ports/inbox.ts'
import type { Jobs } from '../../ports/jobs.ts'
import type { Leases } from '../../ports/leases.ts'
import type { Retries } from '../../ports/retries.ts'
import type { Sizes } from '../../ports/sizes.ts'
import type { Snapshots } from '../../ports/snapshots.ts'
import type { Sql } from '../../ports/sql.ts'
import type { Timers } from '../../ports/timers.ts'
import { SqliteAudit } from './audit.ts'
import { SqliteCheckpoints } from './checkpoints.ts'
import { SqliteDeadLetters } from './dead-letters.ts'
import { SqliteDocuments } from './documents.ts'
import { SqliteEvents } from './events.ts'
import { SqliteInbox } from './inbox.ts'
import { SqliteJobs } from './jobs.ts'
import { SqliteLeases } from './leases.ts'
import { SqliteRetries } from './retries.ts'
import type { Scope } from './scope.ts'
import { SqliteSizes } from './sizes.ts'
import { SqliteSnapshots } from './snapshots.ts'
import { SqliteSql } from './sql.ts'
import { SqliteTimers } from './timers.ts'

/** The ports are made when they are asked for: most transactions need one or two. */
export class SqliteTransaction implements Transaction {
  readonly #scope: Scope
  #depth = 0
  #events: Events | undefined
  #checkpoints: Checkpoints | undefined
  #retries: Retries | undefined
  #deadLetters: DeadLetters | undefined
  #inbox: Inbox | undefined
  #leases: Leases | undefined
  #timers: Timers | undefined
  #snapshots: Snapshots | undefined
  #documents: Documents | undefined
  #audit: Audit | undefined
  #jobs: Jobs | undefined
  #sizes: Sizes | undefined
  #sql: Sql | undefined

  constructor(scope: Scope) {
    this.#scope = scope
  }

  get events(): Events {
    return (this.#events ??= new SqliteEvents(this.#scope))
  }
  get checkpoints(): Checkpoints {
    return (this.#checkpoints ??= new SqliteCheckpoints(this.#scope))
  }
  get retries(): Retries {
    return (this.#retries ??= new SqliteRetries(this.#scope))
  }
  get deadLetters(): DeadLetters {
    return (this.#deadLetters ??= new SqliteDeadLetters(this.#scope))
  }
  get inbox(): Inbox {
    return (this.#inbox ??= new SqliteInbox(this.#scope))
  }
  get leases(): Leases {
    return (this.#leases ??= new SqliteLeases(this.#scope))
  }
  get timers(): Timers {
    return (this.#timers ??= new SqliteTimers(this.#scope))
  }
  get snapshots(): Snapshots {
    return (this.#snapshots ??= new SqliteSnapshots(this.#scope))
  }
  get documents(): Documents {
    return (this.#documents ??= new SqliteDocuments(this.#scope))
  }
  get audit(): Audit {
    return (this.#audit ??= new SqliteAudit(this.#scope))
  }
  get jobs(): Jobs {
    return (this.#jobs ??= new SqliteJobs(this.#scope))
  }
  get sizes(): Sizes {
    return (this.#sizes ??= new SqliteSizes(this.#scope))
  }
  get sql(): Sql {
    return (this.#sql ??= new SqliteSql(this.#scope))
  }

  async savepoint<T>(work: () => Awaitable<T>): Promise<T> {
    const scope = this.#scope
    const depth = this.#depth + 1
    const name = `thence_${depth}`
    const mark = scope.tail.mark()
    scope.use().run(`SAVEPOINT ${name}`)
    this.#depth = depth
    try {
      const result = await work()
      this.#leave(depth)
      scope.use().run(`RELEASE ${name}`)
      return result
    } catch (error) {
      if (this.#depth === depth) this.#depth -= 1
      // After the end there is nothing left to undo, and what is remembered belongs to the next transaction.
      if (scope.open) {
        scope.tail.undo(mark)
        this.#undo(name)
      }
      throw error
    }
  }

  #leave(depth: number): void {
    if (this.#depth === depth) {
      this.#depth -= 1
      return
    }
    const error = new ThenceError(
      'STATE_INVALID',
      'Two savepoints of one transaction overlap. Await one before beginning the next.',
    )
    this.#scope.use().condemn(error)
    throw error
  }

  #undo(name: string): void {
    try {
      const connection = this.#scope.use()
      connection.run(`ROLLBACK TO ${name}`)
      connection.run(`RELEASE ${name}`)
    } catch {
      // Condemned: the transaction will be rolled back as a whole.
    }
  }
}
