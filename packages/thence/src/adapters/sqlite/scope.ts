/**
 * The guard of one open transaction: every port asks it for the connection, so that a port used after the end throws
 * instead of writing into whatever transaction is open by then.
 */
import { ThenceError } from '../../errors.ts'
import type { Runtime } from '../../ports/runtime.ts'
import type { Connection } from './connection.ts'
import type { Tail } from './tail.ts'

/** What all transactions of a store share. */
export interface Session {
  readonly connection: Connection
  readonly runtime: Runtime
  readonly tail: Tail
}

const ended = (): ThenceError =>
  new ThenceError(
    'STATE_INVALID',
    'This transaction has ended. Use what it offers only until its work returns; await everything in it.',
  )

/** The guard: every port asks it for the connection. */
export class Scope {
  readonly runtime: Runtime
  readonly tail: Tail
  /** False for `read`. */
  readonly writes: boolean
  readonly #connection: Connection
  #open = true
  /** Why it ended, unless its work simply returned. */
  #reason: ThenceError | undefined

  constructor(session: Session, writes: boolean) {
    this.#connection = session.connection
    this.runtime = session.runtime
    this.tail = session.tail
    this.writes = writes
  }

  get open(): boolean {
    return this.#open
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
