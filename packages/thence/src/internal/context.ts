/**
 * Async contexts: from where one is called. What serves many callers at once must not run in the context of one of them.
 */
import { AsyncLocalStorage } from 'node:async_hooks'
import { ThenceError } from '../errors.ts'

type Awaitable<T> = T | Promise<T>

const isPromise = <T>(value: Awaitable<T>): value is Promise<T> =>
  typeof value === 'object' && value !== null && 'then' in value

/** Gives what runs work in the context of now, whoever asks for it later. */
export const contextOfNow = (): (<T>(work: () => T) => T) => AsyncLocalStorage.snapshot()

/** Told to whoever calls the database from inside its own transaction. */
export const nested = (): ThenceError =>
  new ThenceError(
    'TRANSACTION_NESTED',
    'The database was called from inside its own open transaction, which would wait for itself. ' +
      'Use what the transaction offers (its view, append, send), or do it after the transaction.',
  )

/** Knows whether a call comes from inside work that it runs. */
export class Inside {
  readonly #open = new AsyncLocalStorage<{ open: boolean }>()

  /** Runs `work`; until it is done, everything that it calls is inside. Answers synchronously if it does. */
  run<T>(work: () => Awaitable<T>): Awaitable<T> {
    const scope = { open: true }
    // What was started inside and outlives the work (a forgotten promise) is outside again.
    const close = (): void => void (scope.open = false)
    let result: Awaitable<T>
    try {
      result = this.#open.run(scope, work)
    } catch (error) {
      close()
      throw error
    }
    if (isPromise(result)) return result.finally(close)
    close()
    return result
  }

  /** @throws TRANSACTION_NESTED */
  refuse(): void {
    if (this.#open.getStore()?.open === true) throw nested()
  }
}
