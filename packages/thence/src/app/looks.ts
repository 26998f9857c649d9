/**
 * When a process looks for what others did: told of it where the database tells, and from time to time whether it was told
 * or not. The looks are what nothing is missed by; the hints only save the wait.
 */
import type { Signals } from '../observe/signals.ts'
import { listening, Upkeep } from '../observe/upkeep.ts'
import type { Listening } from '../ports/listening.ts'
import type { Cancel } from '../ports/runtime.ts'
import type { Store } from '../store/store.ts'

/** Between two looks where nobody is told of anything, in milliseconds. */
const plainly = 100
/** While it is told. */
const asNet = 250
/** While it should be told and is not: at first after something was found, and at the most. */
const shortest = 5
const longest = 100

export interface LooksOptions {
  readonly signals: Signals
  /** Looks; gives whether others have added to the log. */
  readonly look: () => Promise<boolean>
  /** The log is said to go so far. */
  readonly heard: (head: number) => void
}

export class Looks {
  readonly #store: Store
  readonly #options: LooksOptions
  readonly #hearing: Upkeep
  #listening: Listening | undefined
  #pause = plainly
  #looking: Promise<void> | undefined
  #again = false
  #cancel: Cancel = () => undefined
  #stopped = true

  constructor(store: Store, options: LooksOptions) {
    this.#store = store
    this.#options = options
    this.#hearing = new Upkeep(options.signals, listening)
  }

  start(): void {
    this.#stopped = false
    this.#listening = this.#store.database.listen?.({
      heard: (head) => {
        this.#hearing.done()
        if (head === undefined) this.now()
        else this.#options.heard(head)
      },
      lost: (error) => this.#hearing.failed(error),
    })
    this.#plan()
  }

  /** Resolves when no look is under way, and none will be. */
  async stop(): Promise<void> {
    this.#stopped = true
    this.#cancel()
    await Promise.all([this.#looking, this.#listening?.stop()])
  }

  /** Looks without waiting for the next time. */
  now(): void {
    if (this.#stopped) return
    this.#cancel()
    // One that is under way may have begun too early.
    this.#again = this.#looking !== undefined
    this.#looking ??= this.#look().finally(() => {
      this.#looking = undefined
      if (this.#again) this.now()
      else this.#plan()
    })
  }

  async #look(): Promise<void> {
    const found = await this.#options.look()
    this.#pause = this.#next(found)
  }

  #next(found: boolean): number {
    if (this.#listening === undefined) return plainly
    if (this.#listening.live) return asNet
    return found ? shortest : Math.min(2 * this.#pause, longest)
  }

  #plan(): void {
    if (this.#stopped) return
    this.#cancel = this.#store.tools.runtime.after(this.#pause, () => this.now())
  }
}
