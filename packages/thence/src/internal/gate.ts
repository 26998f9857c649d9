/**
 * One at a time: transactions on a single connection run one after the other, and reads wait for an open one, so that
 * nobody sees half a transaction. Work that finishes synchronously never waits for a promise.
 */
import { AsyncLocalStorage } from 'node:async_hooks'
import { nested } from './context.ts'

type Awaitable<T> = T | Promise<T>

const isPromise = <T>(value: Awaitable<T>): value is Promise<T> =>
  typeof value === 'object' && value !== null && 'then' in value

/** A queue of length one with a waiting line. Calling it from inside its own work throws TRANSACTION_NESTED. */
export class Gate {
  readonly #inside = new AsyncLocalStorage<{ open: boolean }>()
  #line: (() => void)[] = []
  /** Where the line begins; what is before it has been let in. */
  #first = 0
  #taken = false
  #calling = false

  /** Throws TRANSACTION_NESTED to whoever calls from inside. */
  refuseInside(): void {
    if (this.#inside.getStore()?.open === true) throw nested()
  }

  /** Runs `work` when all earlier work is done; answers synchronously if it could run, and finish, at once. */
  run<T>(work: () => Awaitable<T>): Awaitable<T> {
    this.refuseInside()
    if (!this.#taken && !this.#calling) return this.#enter(work)
    const { promise, resolve, reject } = Promise.withResolvers<T>()
    // The caller's own context (a trace, a request) is kept, not that of whoever leaves before it.
    const restore = AsyncLocalStorage.snapshot()
    this.#line.push(() =>
      restore(() => {
        try {
          const result = this.#enter(work)
          if (isPromise(result)) result.then(resolve, reject)
          else resolve(result)
        } catch (error) {
          reject(error)
        }
      }),
    )
    return promise
  }

  #enter<T>(work: () => Awaitable<T>): Awaitable<T> {
    this.#taken = true
    const scope = { open: true }
    try {
      const result = this.#inside.run(scope, work)
      if (isPromise(result)) return result.finally(() => this.#leave(scope))
      this.#leave(scope)
      return result
    } catch (error) {
      this.#leave(scope)
      throw error
    }
  }

  #leave(scope: { open: boolean }): void {
    // What was started inside and outlives the work (a forgotten promise) is outside again.
    scope.open = false
    this.#taken = false
    this.#callNext()
  }

  /** A loop, not a call from each that leaves: thousands may wait, and each may finish at once. */
  #callNext(): void {
    if (this.#calling) return
    this.#calling = true
    while (!this.#taken && this.#first < this.#line.length) {
      const next = this.#line[this.#first++]
      next?.()
    }
    this.#calling = false
    if (this.#first < this.#line.length && this.#first < 1024) return
    this.#line = this.#line.slice(this.#first)
    this.#first = 0
  }
}
