/**
 * Whether a partition may begin something: not while it stops, not while its subscription is paused, and not while what
 * its handler calls is out of order. What has begun goes on to its end.
 */
import type { Outcome, Permit } from '../handle/breaker.ts'
import type { Pace } from '../handle/pace.ts'
import type { Cancel, Runtime } from '../ports/runtime.ts'

/** What is not paced may always begin. */
const free: Permit = { probe: false, turn: 0 }

export class Valve {
  readonly #runtime: Runtime
  readonly #pace: Pace | undefined
  #stopping = false
  #paused = false
  /** Aborted when nothing more is to begin; a new one for each time that it opens. */
  #open = new AbortController()

  constructor(runtime: Runtime, pace: Pace | undefined) {
    this.#runtime = runtime
    this.#pace = pace
  }

  /** Whether nothing may be begun now. */
  get closed(): boolean {
    return this.#stopping || this.#paused || this.#pace?.holding === true
  }

  /** Whether it will never open again. */
  get stopping(): boolean {
    return this.#stopping
  }

  /** Aborted when nothing more is to begin: what waits for its turn gives up. */
  get open(): AbortSignal {
    return this.#open.signal
  }

  stop(): void {
    this.#stopping = true
    this.#open.abort()
  }

  pause(paused: boolean): void {
    if (paused === this.#paused) return
    this.#paused = paused
    if (paused) this.#open.abort()
    else if (!this.#stopping) this.#open = new AbortController()
  }

  /** Calls `listener` when it may have opened by itself; returns how to stop that. Who resumes it tells so. */
  whenOpen(listener: () => void): Cancel {
    if (this.#stopping || this.#paused) return () => undefined
    if (this.#pace?.holding === true) return this.#pace.whenFree(listener)
    return this.#runtime.after(0, listener)
  }

  /** Waits until a retry may be afforded; false if nothing may be begun. */
  async afford(): Promise<boolean> {
    if (this.closed) return false
    return this.#pace === undefined || this.#pace.afford(this.#open.signal)
  }

  /** Waits until an attempt may begin and gives leave, which must be given back by `end`; or `undefined`. */
  async begin(attempt: 'first' | 'retry'): Promise<Permit | undefined> {
    if (this.closed) return undefined
    return this.#pace === undefined ? free : this.#pace.begin(attempt, this.#open.signal)
  }

  end(permit: Permit, outcome: Outcome): void {
    this.#pace?.end(permit, outcome)
  }

  /** Whole milliseconds in which no failed message need be tried again; 0 if there is no outage. */
  get opensIn(): number {
    return this.#pace?.opensIn ?? 0
  }
}
