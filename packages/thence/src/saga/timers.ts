/**
 * The clock of the store: appends the message of every timer that is due, and removes the timer, in one transaction.
 */
import type { Cancel } from '../ports/runtime.ts'
import type { Store } from '../store/store.ts'

const batch = 200
/** Looks at least so often, for timers that another process has set. */
const longest = 1000

export class TimerClock {
  readonly #store: Store
  #cancel: Cancel = () => undefined
  #running: Promise<void> | undefined
  #stopped = true
  #again = false

  constructor(store: Store) {
    this.#store = store
  }

  start(): void {
    this.#stopped = false
    this.wake()
  }

  async stop(): Promise<void> {
    this.#stopped = true
    this.#cancel()
    await this.#running
  }

  /** Timers may have been set or may be due. */
  wake(): void {
    this.#again = true
    if (this.#stopped || this.#running !== undefined) return
    this.#running = this.#run().finally(() => {
      this.#running = undefined
      if (this.#again && !this.#stopped) this.wake()
    })
  }

  async #run(): Promise<void> {
    this.#cancel()
    this.#again = false
    let next: number | undefined
    try {
      while (await this.fire());
      next = await this.#store.read(({ timers }) => timers.next())
    } catch {
      // The subscriptions tell that the database failed; look again at the next tick.
    }
    if (this.#stopped) return
    const { runtime } = this.#store.tools
    const delay = Math.min(longest, Math.max(0, (next ?? Infinity) - runtime.now()))
    this.#cancel = runtime.after(delay, () => this.wake())
  }

  /** Fires what is due; returns whether there may be more. */
  async fire(): Promise<boolean> {
    const now = this.#store.tools.runtime.now()
    const due = await this.#store.read(({ timers }) => timers.due(now, batch))
    if (due.length === 0) return false
    await this.#store.transact(async (writer) => {
      for (const timer of due) {
        // Whoever removes it fires it; another process may have been first.
        if (!(await writer.transaction.timers.cancel(timer.id))) continue
        await writer.appendStored(timer.stream, [{ ...timer.message, time: now }])
      }
    })
    return due.length === batch
  }
}
