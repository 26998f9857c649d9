/**
 * The runtime of a real process: its clock, its timers, its randomness. The only file outside the adapters that reads
 * them.
 */
import { randomFillSync } from 'node:crypto'
import { performance } from 'node:perf_hooks'
import { UuidSource } from '../internal/uuid.ts'
import type { Cancel, Runtime } from '../ports/runtime.ts'

/** A longer `setTimeout` would run at once. */
const longest = 2 ** 31 - 1

const after = (milliseconds: number, callback: () => void): Cancel => {
  // Nothing to keep the process alive for.
  if (milliseconds === Infinity) return () => undefined
  let timer: ReturnType<typeof setTimeout>
  const arm = (left: number): void => {
    timer =
      left <= longest ? setTimeout(callback, left) : setTimeout(() => arm(left - longest), longest)
  }
  arm(milliseconds)
  return () => clearTimeout(timer)
}

/** A runtime on the system's clock and cryptographic randomness. */
export function systemRuntime(): Runtime {
  const ids = new UuidSource(
    () => Date.now(),
    (bytes) => void randomFillSync(bytes),
  )
  return {
    now: () => Date.now(),
    elapsed: () => performance.now(),
    random: () => Math.random(),
    id: () => ids.next(),
    after,
    soon: (callback) => void setImmediate(callback),
  }
}
