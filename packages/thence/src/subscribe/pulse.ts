/**
 * The heartbeat of a process. Whoever looks at the members beats; where the looks are held up, a timer beats in their
 * place, so that nothing the process waits for keeps it from being heard of.
 */
import type { Member } from '../ports/leases.ts'
import type { Cancel } from '../ports/runtime.ts'
import type { Store } from '../store/store.ts'

/** A process is heard of so many times before it would count as gone. */
const beats = 4

export interface PulseOptions {
  /** How long a process counts as alive after it was last heard of, in milliseconds. */
  readonly leaseTime: number
  /** What is told of it. */
  readonly me: () => Pick<Member, 'id' | 'name' | 'runs'>
}

export class Pulse {
  readonly #store: Store
  readonly #options: PulseOptions
  #heard = -Infinity
  #beating: Promise<void> | undefined
  #cancel: Cancel = () => undefined
  #stopped = true

  constructor(store: Store, options: PulseOptions) {
    this.#store = store
    this.#options = options
  }

  /** Milliseconds between two beats. */
  get every(): number {
    return this.#options.leaseTime / beats
  }

  start(): void {
    this.#stopped = false
    this.#plan()
  }

  /** Resolves when no beat is under way, and none will be. */
  async stop(): Promise<void> {
    this.#stopped = true
    this.#cancel()
    await this.#beating?.catch(() => undefined)
  }

  /** Is heard of, if that was not done within `least` milliseconds; default: as often as it should. */
  async beat(least: number = this.every): Promise<void> {
    const now = this.#store.tools.runtime.now()
    if (Math.abs(now - this.#heard) < least - 1) return
    this.#beating ??= this.#tell(now).finally(() => (this.#beating = undefined))
    await this.#beating
  }

  /** Is heard of now: what was told before is forgotten, or is not true any more. */
  async again(): Promise<void> {
    await this.#beating?.catch(() => undefined)
    this.#heard = -Infinity
    await this.beat()
  }

  async #tell(now: number): Promise<void> {
    const { me, leaseTime } = this.#options
    await this.#store.transact(({ transaction }) => transaction.leases.beat(me(), leaseTime))
    this.#heard = now
  }

  #plan(): void {
    if (this.#stopped) return
    this.#cancel = this.#store.tools.runtime.after(this.every, () => {
      void this.beat(2 * this.every)
        // The next look, or the next beat, meets the same failure and tells it.
        .catch(() => undefined)
        .finally(() => this.#plan())
    })
  }
}
