/**
 * A line in front of a limit: who may not go yet waits for as long as the limit says, in order, and without asking again
 * before that.
 */
import { Line } from '../internal/line.ts'
import type { Awaitable } from '../ports/awaitable.ts'
import type { Cancel, Runtime } from '../ports/runtime.ts'

/** Counts one as gone and gives 0, or gives the milliseconds to wait, by `elapsed` of the runtime. */
export type Take = (now: number) => number

export class Turnstile {
  readonly #runtime: Runtime
  readonly #take: Take
  readonly #line = new Line()
  #cancel: Cancel = () => undefined

  constructor(runtime: Runtime, take: Take) {
    this.#runtime = runtime
    this.#take = take
  }

  /** Gives true when it is one's turn, at once if nobody has to wait, or false when `signal` is aborted before that. */
  pass(signal: AbortSignal): Awaitable<boolean> {
    if (signal.aborted) return false
    if (this.#line.isEmpty && this.#take(this.#runtime.elapsed()) === 0) return true
    const turn = this.#line.wait(signal)
    this.serve()
    return turn
  }

  /** Lets go whoever may go now. */
  serve(): void {
    this.#cancel()
    this.#cancel = () => undefined
    while (!this.#line.isEmpty) {
      const wait = this.#take(this.#runtime.elapsed())
      if (wait > 0) return this.#plan(wait)
      this.#line.next()
    }
  }

  #plan(wait: number): void {
    this.#cancel = this.#runtime.after(wait, () => this.serve())
  }
}
