/**
 * Work that may be done at once or later, without a needless tick when it is done at once.
 */
import type { Awaitable } from '../../ports/awaitable.ts'

export function isPromise<T>(value: Awaitable<T>): value is Promise<T> {
  return typeof value === 'object' && value !== null && 'then' in value
}

/** What `work` makes of the value, now if it is there. */
export function after<A, B>(value: Awaitable<A>, work: (value: A) => Awaitable<B>): Awaitable<B> {
  return isPromise(value) ? value.then(work) : work(value)
}

/** Always a promise: what is thrown becomes its rejection. */
export function promised<T>(work: () => Awaitable<T>): Promise<T> {
  return new Promise((resolve) => resolve(work()))
}
