/**
 * A line in front of a limit: who may not go yet waits for as long as the limit says, in order, and without asking again
 * before that.
 */
import type { Awaitable } from '../ports/awaitable.ts'
import type { Cancel, Runtime } from '../ports/runtime.ts'

/** Counts one as gone and gives 0, or gives the milliseconds to wait, by `elapsed` of the runtime. */
export type Take = (now: number) => number

interface Waiting {
  readonly go: (may: boolean) => void
}

export class Turnstile {
  readonly #runtime: Runtime
  readonly #take: Take
  readonly #line = new Set<Waiting>()
  #cancel: Cancel = () => undefined

  constructor(runtime: Runtime, take: Take) {
    this.#runtime = runtime
    this.#take = take
  }

  /** Gives true when it is one's turn, at once if nobody has to wait, or false when `signal` is aborted before that. */
  pass(signal: AbortSignal): Awaitable<boolean> {
    if (signal.aborted) return false
    if (this.#line.size === 0 && this.#take(this.#runtime.elapsed()) === 0) return true
    const { promise, resolve } = Promise.withResolvers<boolean>()
    const aborted = (): void => waiting.go(false)
    const waiting: Waiting = {
      go: (may) => {
        this.#line.delete(waiting)
        signal.removeEventListener('abort', aborted)
        resolve(may)
      },
    }
    this.#line.add(waiting)
    signal.addEventListener('abort', aborted, { once: true })
    this.serve()
    return promise
  }

  /** Lets go whoever may go now. */
  serve(): void {
    this.#cancel()
    this.#cancel = () => undefined
    for (const waiting of this.#line) {
      const wait = this.#take(this.#runtime.elapsed())
      if (wait > 0) return this.#plan(wait)
      waiting.go(true)
    }
  }

  #plan(wait: number): void {
    this.#cancel = this.#runtime.after(wait, () => this.serve())
  }
}
