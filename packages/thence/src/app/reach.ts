/**
 * Waiting until a subscription has come to a position.
 */
import { isThenceError } from '../errors.ts'
import type { Runtime } from '../ports/runtime.ts'
import type { Transaction } from '../ports/database.ts'
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

/**
 * Whether a subscription that other processes run has messages left, told from the store alone. One sequence that waits
 * for a failed message counts as done.
 */
export async function isBehind(
  { checkpoints, events, retries }: Transaction,
  { name, division, options }: Subscription,
): Promise<boolean> {
  const { due, parked } = await retries.outlook(name)
  if (due > 0) return true
  if (options.key === undefined && parked > 0) return false
  const rows = await checkpoints.list(name)
  const positions = rows.map(({ position }) => position)
  const least = rows.length < division.partitions ? 0 : Math.min(...positions)
  const query = [{ types: options.types }]
  const { messages } = await events.readAll({ query, after: least, limit: 1 })
  return messages.length > 0
}
