/**
 * The one clock of a store, for sagas, delayed commands and schedules: it looks when the next timer is due by the
 * database's clock, and fires what is due in bounded batches. Any number of processes may run one on a store.
 */
import { isStoreFailure } from '../errors.ts'
import type { Signals } from '../observe/signals.ts'
import type { Cancel } from '../ports/runtime.ts'
import type { Timer, TimerPlace } from '../ports/timers.ts'
import type { Store } from '../store/store.ts'
import type { Writer } from '../store/writer.ts'
import type { Tell } from './fire.ts'
import { fireOne, fireOrFail } from './fire.ts'

/** So many timers are fired in one transaction at most. */
const batch = 200
/** Looks at least so often, in milliseconds, for timers that another process has set and for a clock that was set. */
const longest = 1000

/** What is due, as far as it is this process's to fire. */
const dueOf = async ({ transaction }: Writer): Promise<readonly Timer[]> => {
  const found: Timer[] = []
  let after: TimerPlace | undefined
  for (;;) {
    const limit = batch - found.length
    const page = await transaction.timers.due({ limit, ...(after === undefined ? {} : { after }) })
    found.push(...page)
    after = page.at(-1)
    if (page.length < limit || found.length >= batch) return found
  }
}

export class TimerClock {
  readonly #store: Store
  readonly #signals: Signals
  #cancel: Cancel = () => undefined
  #running: Promise<void> | undefined
  #stopped = true
  #again = false

  constructor(store: Store, signals: Signals) {
    this.#store = store
    this.#signals = signals
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
    let wait: number | undefined
    try {
      while ((await this.fire()) && !this.#stopped);
      wait = await this.#store.read(({ timers }) => timers.wait())
    } catch {
      // The subscriptions tell that the database failed; look again at the next tick.
    }
    if (this.#stopped) return
    const delay = Math.min(longest, wait ?? longest)
    this.#cancel = this.#store.tools.runtime.after(delay, () => this.wake())
  }

  /** Fires a batch of what is due; returns whether there may be more. */
  async fire(): Promise<boolean> {
    const any = await this.#store.read(({ timers }) => timers.due({ limit: 1 }))
    if (any.length === 0) return false
    try {
      return await this.#fire(fireOne)
    } catch (error) {
      if (isStoreFailure(error)) throw error
      // One of them cannot be fired: each by itself, so that it takes no other along.
      return this.#fire(fireOrFail)
    }
  }

  async #fire(fire: typeof fireOne): Promise<boolean> {
    let tell: Tell[] = []
    const more = await this.#store.transact(async (writer) => {
      tell = []
      // Read again: another process may have been first, or a timer may have been set anew meanwhile.
      const due = await dueOf(writer)
      const now = await writer.transaction.timers.now()
      const { runtime } = this.#store.tools
      for (const timer of due) tell.push(await fire(writer, timer, { now, runtime }))
      return due.length === batch
    })
    for (const one of tell) one(this.#signals)
    return more
  }
}
