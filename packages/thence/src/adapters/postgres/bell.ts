/**
 * Tells other processes that the log has grown: a NOTIFY of its own after the commit, never inside the transaction, because there it would
 * take a lock of the whole server through the commit. What comes up while one is on its way, or just after it, shares the next. What was
 * committed above an open append of somebody else's is told when that has ended.
 */
import { wait } from '../../ports/wait.ts'
import type { Runtime } from '../../ports/runtime.ts'

/** At least so long between two, in milliseconds. */
const between = 5
/** At most so long until it is looked again whether an open append has ended, in milliseconds. */
const longest = 50

/**
 * Tells that the log goes to `head`, or up to where it can be read, if that is further than `told`. Gives up to where it can be read.
 */
type Telling = (head: number, told: number) => Promise<number>

export class Bell {
  readonly #runtime: Runtime
  readonly #send: Telling
  readonly #closing = new AbortController()
  #head = 0
  #told = 0
  #ringing: Promise<void> | undefined
  /** Ends the pause before the next look. */
  #hurry = new AbortController()

  /** @param send if it fails, others find out when they look. */
  constructor(runtime: Runtime, send: Telling) {
    this.#runtime = runtime
    this.#send = send
  }

  /** This process has committed something, up to here. */
  ring(head: number): void {
    if (head <= this.#told) return
    this.#head = Math.max(this.#head, head)
    // With a reason: without one an error is made each time, with its stack.
    this.#hurry.abort('more was committed')
    this.#ringing ??= this.#drain()
  }

  /** Resolves when what was rung for is told, as far as it can be read. */
  async close(): Promise<void> {
    this.#closing.abort()
    await this.#ringing
  }

  async #drain(): Promise<void> {
    let pause = between
    let last = 0
    while (this.#head > this.#told && !(this.#closing.signal.aborted && this.#head === last)) {
      last = this.#head
      const { signal } = (this.#hurry = new AbortController())
      const told = await this.#send(last, this.#told).catch(() => last)
      pause = told > this.#told ? between : Math.min(2 * pause, longest)
      this.#told = Math.max(this.#told, told)
      await this.#wait(between, this.#closing.signal)
      const more = AbortSignal.any([signal, this.#closing.signal])
      if (pause > between) await this.#wait(pause - between, more)
    }
    this.#ringing = undefined
  }

  #wait(pause: number, signal: AbortSignal): Promise<void> {
    return wait(this.#runtime, pause, signal).catch(() => undefined)
  }
}
