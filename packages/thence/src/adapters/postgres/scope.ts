/**
 * The guard of one open transaction: every port asks it for the connection, so that a port used after the end throws
 * instead of writing into whatever comes next on that connection.
 */
import { ThenceError } from '../../errors.ts'
import type { Runtime } from '../../ports/runtime.ts'
import type { Connection } from './connection.ts'

/** What all transactions of a store share. */
export interface Session {
  readonly runtime: Runtime
  readonly clock: 'database' | 'runtime'
}

const ended = (): ThenceError =>
  new ThenceError(
    'STATE_INVALID',
    'This transaction has ended. Use what it offers only until its work returns; await everything in it.',
  )

export class Scope {
  /** False for `read`. */
  readonly writes: boolean
  /** The last position that was appended in it; 0: none. */
  appended = 0
  readonly #session: Session
  readonly #connection: Connection
  #open = true
  /** Why it ended, unless its work simply returned. */
  #reason: ThenceError | undefined

  constructor(session: Session, connection: Connection, writes: boolean) {
    this.#session = session
    this.#connection = connection
    this.writes = writes
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
