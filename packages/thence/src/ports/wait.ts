/**
 * Waiting by the runtime's clock, so that a virtual clock can skip it.
 */
import { ThenceError } from '../errors.ts'
import type { Runtime } from './runtime.ts'

/** What a caller is told who gave up. */
export const aborted = (signal: AbortSignal): ThenceError =>
  new ThenceError('ABORTED', 'The caller gave up.', { cause: signal.reason })

/** Resolves after `milliseconds`. @throws ABORTED as soon as the signal says so. */
export function wait(
  runtime: Pick<Runtime, 'after'>,
  milliseconds: number,
  signal?: AbortSignal,
): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted === true) return reject(aborted(signal))
    const stop = (): void => {
      cancel()
      reject(aborted(signal as AbortSignal))
    }
    const cancel = runtime.after(milliseconds, () => {
      signal?.removeEventListener('abort', stop)
      resolve()
    })
    signal?.addEventListener('abort', stop, { once: true })
  })
}

/**
 * Resolves when the present turn of the event loop is over. Long work that only promises drive asks for it now and then:
 * else no timer runs and nothing else is read or answered until it ends.
 */
export function turn(runtime: Pick<Runtime, 'soon'>): Promise<void> {
  return new Promise((resolve) => runtime.soon(resolve))
}
