/**
 * Tells other processes that the log has grown: a NOTIFY of its own after the commit, never inside the transaction, because there it would
 * take a lock of the whole server through the commit. What comes up while one is on its way, or just after it, shares the next.
 */
import { wait } from '../../ports/wait.ts'
import type { Runtime } from '../../ports/runtime.ts'

/** At least so long between two, in milliseconds. */
const between = 5

export class Bell {
  readonly #runtime: Runtime
  readonly #send: (head: number) => Promise<unknown>
  readonly #closing = new AbortController()
  #head = 0
  #told = 0
  #ringing: Promise<void> | undefined

  /** @param send tells of a head; if it fails, others find out when they look. */
  constructor(runtime: Runtime, send: (head: number) => Promise<unknown>) {
    this.#runtime = runtime
    this.#send = send
  }

  /** The log was committed up to here. */
  ring(head: number): void {
    if (head <= this.#head) return
    this.#head = head
    this.#ringing ??= this.#drain().finally(() => (this.#ringing = undefined))
  }

  /** Resolves when what was rung for is told. */
  async close(): Promise<void> {
    this.#closing.abort()
    await this.#ringing
  }

  async #drain(): Promise<void> {
    while (this.#head > this.#told) {
      this.#told = this.#head
      await this.#send(this.#head).catch(() => undefined)
      await wait(this.#runtime, between, this.#closing.signal).catch(() => undefined)
    }
  }
}
