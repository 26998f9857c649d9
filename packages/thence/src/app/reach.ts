/**
 * Waiting until a subscription has come to a position.
 */
import { isThenceError } from '../errors.ts'
import type { Runtime } from '../ports/runtime.ts'
import { wait } from '../ports/wait.ts'
import type { Subscription } from '../subscribe/subscription.ts'

/** Returns whether it got there within `timeout` milliseconds. @throws ABORTED */
export async function reach(
  subscription: Subscription,
  position: number,
  {
    runtime,
    timeout,
    signal,
  }: { runtime: Runtime; timeout: number; signal?: AbortSignal | undefined },
): Promise<boolean> {
  if (subscription.position >= position) return true
  const there = new AbortController()
  const unlisten = subscription.onProgress(() => {
    if (subscription.position >= position) there.abort()
  })
  const either = signal === undefined ? there.signal : AbortSignal.any([there.signal, signal])
  try {
    await wait(runtime, timeout, either)
  } catch (error) {
    if (!isThenceError(error, 'ABORTED') || signal?.aborted === true) throw error
  } finally {
    unlisten()
  }
  return subscription.position >= position
}
