/**
 * The deadline of a stop: how long each part of the end is waited for. What has not ended by then is told, and left to
 * itself.
 */
import type { Signals } from '../observe/signals.ts'
import type { StopSignal } from '../observe/stop-signals.ts'
import type { Cancel, Runtime } from '../ports/runtime.ts'

/** So long after the deadline, in milliseconds, a part may take to give back what it has in hand. */
const grace = 1000

export class Deadline {
  /** Resolves when what is still in hand is to be given back. */
  readonly passed: Promise<void>
  /** It is over: nothing more is to be given back. */
  readonly cancel: Cancel
  readonly #runtime: Runtime
  readonly #signals: Signals
  /** By `elapsed`. */
  readonly #end: number

  /** @param time from now, in milliseconds. */
  constructor(time: number, runtime: Runtime, signals: Signals) {
    const { promise, resolve } = Promise.withResolvers<void>()
    this.passed = promise
    this.cancel = runtime.after(time, resolve)
    this.#runtime = runtime
    this.#signals = signals
    this.#end = runtime.elapsed() + time
  }

  /** Waits for a part of the end; if that takes too long it says so, and goes on. @throws what the work throws */
  async within(what: StopSignal['what'], work: Promise<unknown>): Promise<void> {
    const start = this.#runtime.elapsed()
    const late = Promise.withResolvers<false>()
    const cancel = this.#runtime.after(Math.max(0, this.#end - start) + grace, () =>
      late.resolve(false),
    )
    try {
      if (await Promise.race([work.then(() => true), late.promise])) return
      const waited = Math.round(this.#runtime.elapsed() - start)
      this.#signals.emit({ name: 'stop-unfinished', what, waited })
    } finally {
      cancel()
    }
  }
}
