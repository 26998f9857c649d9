/**
 * A time limit on work that may hang: its signal is aborted, and whoever waits is told.
 */
import { ThenceError } from '../errors.ts'
import type { Runtime } from '../ports/runtime.ts'

/**
 * Runs `work` with a signal that is aborted after `milliseconds` or together with `outer`.
 * @throws TIMEOUT when the time is up, ABORTED when `outer` says so, even if `work` ignores its signal.
 */
export async function withTimeout<T>(
  runtime: Runtime,
  { what, milliseconds, outer }: { what: string; milliseconds: number; outer: AbortSignal },
  work: (signal: AbortSignal) => Promise<T> | T,
): Promise<T> {
  const told = new ThenceError('ABORTED', `${what} was told to stop.`)
  if (outer.aborted) throw told
  const controller = new AbortController()
  const stopped = Promise.withResolvers<never>()
  const stop = (error: unknown): void => {
    controller.abort(error)
    stopped.reject(error)
  }
  const aborted = (): void => stop(told)
  const cancel = runtime.after(milliseconds, () =>
    stop(
      new ThenceError(
        'TIMEOUT',
        `${what} did not finish within ${milliseconds} ms. Watch the signal, or give it more time.`,
      ),
    ),
  )
  outer.addEventListener('abort', aborted, { once: true })
  try {
    return await Promise.race([work(controller.signal), stopped.promise])
  } finally {
    cancel()
    outer.removeEventListener('abort', aborted)
  }
}
