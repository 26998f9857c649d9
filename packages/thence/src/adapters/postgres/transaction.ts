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
import { PostgresAudit } from './audit.ts'
import { PostgresCheckpoints } from './checkpoints.ts'
import { PostgresDeadLetters } from './dead-letters.ts'
import { PostgresDocuments } from './documents.ts'
import { PostgresEvents } from './events.ts'
import { PostgresInbox } from './inbox.ts'
import { PostgresJobs } from './jobs.ts'
import { PostgresLeases } from './leases.ts'
import { PostgresRetries } from './retries.ts'
import type { Scope } from './scope.ts'
import { PostgresSizes } from './sizes.ts'
import { PostgresSnapshots } from './snapshots.ts'
import { PostgresSql } from './sql.ts'
import { PostgresTimers } from './timers.ts'

/** Two savepoints of one transaction must not overlap. */
export class PostgresTransaction implements Transaction {
  readonly events: Events
  readonly checkpoints: Checkpoints
  readonly retries: Retries
  readonly deadLetters: DeadLetters
  readonly inbox: Inbox
  readonly leases: Leases
  readonly timers: Timers
  readonly snapshots: Snapshots
  readonly documents: Documents
  readonly audit: Audit
  readonly jobs: Jobs
  readonly sizes: Sizes
  readonly sql: Sql
  readonly #scope: Scope
  #depth = 0

  /** @param sql for what the user writes; in a transaction of the user's own there is none of ours. */
  constructor(scope: Scope, sql: Sql = new PostgresSql(scope)) {
    this.#scope = scope
    this.events = new PostgresEvents(scope)
    this.checkpoints = new PostgresCheckpoints(scope)
    this.retries = new PostgresRetries(scope)
    this.deadLetters = new PostgresDeadLetters(scope)
    this.inbox = new PostgresInbox(scope)
    this.leases = new PostgresLeases(scope)
    this.timers = new PostgresTimers(scope)
    this.snapshots = new PostgresSnapshots(scope)
    this.documents = new PostgresDocuments(scope)
    this.audit = new PostgresAudit(scope)
    this.jobs = new PostgresJobs(scope)
    this.sizes = new PostgresSizes(scope)
    this.sql = sql
  }

  async savepoint<T>(work: () => Awaitable<T>): Promise<T> {
    const scope = this.#scope
    const connection = scope.use()
    const depth = this.#depth + 1
    const name = `savepoint_${depth}`
    const { leads } = scope
    this.#depth = depth
    await connection.run(`SAVEPOINT ${name}`)
    try {
      const result = await work()
      this.#leave(depth)
      await scope.use().run(`RELEASE ${name}`)
      return result
    } catch (error) {
      if (this.#depth === depth) this.#depth -= 1
      // After the end there is nothing left to undo.
      if (scope.open) await this.#undo(name)
      // Where names lead is undone with it, if it was said in it.
      scope.leads = leads
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

  async #undo(name: string): Promise<void> {
    try {
      const connection = this.#scope.use()
      await connection.run(`ROLLBACK TO ${name}`)
      await connection.run(`RELEASE ${name}`)
    } catch {
      // Condemned: the transaction will be rolled back as a whole.
    }
  }
}
