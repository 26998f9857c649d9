/**
 * Waiting for an abort without leaving anything on the signal: it may outlive thousands of registrations.
 */

/** Calls `run` when `signal` aborts; gives what to call when that is no longer wanted. */
export function whenAborted(
  signal: AbortSignal | undefined,
  run: (signal: AbortSignal) => void,
): () => void {
  if (signal === undefined) return () => undefined
  const listener = (): void => run(signal)
  signal.addEventListener('abort', listener, { once: true })
  return () => signal.removeEventListener('abort', listener)
}
