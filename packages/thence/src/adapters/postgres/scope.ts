/**
 * The guard of one open transaction: every port asks it for the connection, so that a port used after the end throws
 * instead of writing into whatever comes next on that connection.
 */
import { ThenceError } from '../../errors.ts'
import type { Runtime } from '../../ports/runtime.ts'
import { type Connection, ended } from './connection.ts'
import { Gather } from './gather.ts'
import { type Ordering, safePosition } from './order.ts'
import type { Views } from './views.ts'

/** What all transactions of a store share. */
export interface Session {
  readonly runtime: Runtime
  readonly clock: 'database' | 'runtime'
  readonly ordering: Ordering
  readonly views: Views
}

export interface ScopeOptions {
  /** False for `read`. */
  readonly writes: boolean
  /** Up to where the log is read, known before the snapshot of the transaction was taken. Default: it is asked for each time. */
  readonly bound?: Promise<number> | undefined
}

export class Scope {
  /** False for `read`. */
  readonly writes: boolean
  /** The last position that was appended in it; 0: none. */
  appended = 0
  /** Whether names without a schema lead to that of the views, up to the end. */
  leads = false
  /** What is asked of it side by side. */
  readonly gather: Gather = new Gather()
  readonly #session: Session
  readonly #connection: Connection
  /** Where it was known before the transaction began. */
  readonly #bound: Promise<number> | undefined
  #open = true
  /** Why it ended, unless its work simply returned. */
  #reason: ThenceError | undefined

  constructor(session: Session, connection: Connection, { writes, bound }: ScopeOptions) {
    this.#session = session
    this.#connection = connection
    this.#bound = bound
    this.writes = writes
  }

  /** Whether the positions of the store have gaps, some of which may still be filled. */
  get concurrent(): boolean {
    return this.#session.ordering.concurrent
  }

  /** The schema of the user's own tables; undefined: where the connection says. */
  get views(): string | undefined {
    return this.#session.views.known
  }

  /** Which function appends. */
  get appending(): string {
    return this.#session.ordering.appending
  }

  /** Up to where the log is settled; undefined: as far as it goes. Ask before you read. */
  async bound(): Promise<number | undefined> {
    if (!this.concurrent) return undefined
    const connection = this.use()
    return this.#bound ?? safePosition(connection)
  }

  get open(): boolean {
    return this.#open
  }

  /** The time by the runtime, if that decides; null: the server does. */
  get time(): number | null {
    return this.#session.clock === 'runtime' ? this.#session.runtime.now() : null
  }

  end(reason?: ThenceError): void {
    this.#open = false
    this.#reason ??= reason
  }

  /** The connection, to read. */
  use(): Connection {
    if (!this.#open) throw this.#reason ?? ended()
    if (this.#connection.doom !== undefined) throw this.#connection.doom
    return this.#connection
  }

  /** The connection, to write. */
  change(): Connection {
    if (!this.writes)
      throw new ThenceError('STATE_INVALID', '`read` shows, it does not write. Use `transact`.')
    return this.use()
  }
}
