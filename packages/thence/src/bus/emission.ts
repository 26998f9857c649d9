/**
 * One event on its way to several handlers that take their time: counts them down and names the one that failed. It
 * takes one look at each promise as long as all goes well, which is why a failure is traced to its handler afterwards.
 */
import type { EventMessage } from '../message/message.ts'
import type { Report } from './failure.ts'
import type { Entry } from './handlers.ts'

/** What an emission tells the bus. */
export interface Hooks {
  readonly report: Report
  /** Called once, when all handlers have settled. */
  readonly finished: () => void
}

const nothing = (): void => undefined

export class Emission {
  /** Resolves when all handlers have settled; never rejects. */
  readonly done: Promise<void>
  readonly #event: EventMessage
  readonly #line: readonly Entry[]
  readonly #report: Report
  /** By place in the line; handlers that had nothing to wait for leave a gap. */
  readonly #promises: (Promise<unknown> | undefined)[] = []
  // Both are shared by all handlers of this event: a function for each would cost more than all the rest here.
  readonly #settled: () => void
  readonly #rejected: () => void
  #resolve: () => void = nothing
  #left = 0
  #traced = false

  constructor(event: EventMessage, line: readonly Entry[], { report, finished }: Hooks) {
    this.#event = event
    this.#line = line
    this.#report = report
    this.#settled = () => {
      if (--this.#left > 0) return
      this.#resolve()
      finished()
    }
    this.#rejected = () => {
      if (!this.#traced) this.#trace()
      this.#settled()
    }
    // Not Promise.withResolvers: V8 does not inline it, and that was a tenth of the time of ten handlers.
    this.done = new Promise((resolve) => {
      this.#resolve = resolve
    })
  }

  /** Waits for `result` of the handler at `index` of the line. */
  add(index: number, result: object): void {
    // A foreign thenable becomes a promise here, because its `then` may only be called once.
    const promise = Promise.resolve(result)
    this.#left++
    this.#promises[index] = promise
    promise.then(this.#settled, this.#rejected)
  }

  /** Looks at every promise again, this time knowing whose it is; what rejects later is told then. */
  #trace(): void {
    this.#traced = true
    for (const [index, promise] of this.#promises.entries()) {
      if (promise === undefined) continue
      const handler = this.#line[index]?.name ?? ''
      this.#left++
      promise.then(this.#settled, (error: unknown) => {
        const told = this.#report(error, { handler, event: this.#event })
        if (told === undefined) this.#settled()
        else void told.then(this.#settled)
      })
    }
  }
}
