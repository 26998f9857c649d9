/**
 * The runtime of a real process: its clock, its timers, its randomness. The only file outside the adapters that reads
 * them.
 */
import { randomFillSync } from 'node:crypto'
import { UuidSource } from '../internal/uuid.ts'
import type { Runtime } from '../ports/runtime.ts'

/** A runtime on the system's clock and cryptographic randomness. */
export function systemRuntime(): Runtime {
  const ids = new UuidSource(
    () => Date.now(),
    (bytes) => void randomFillSync(bytes),
  )
  return {
    now: () => Date.now(),
    random: () => Math.random(),
    id: () => ids.next(),
    after: (milliseconds, callback) => {
      const timer = setTimeout(callback, milliseconds)
      return () => clearTimeout(timer)
    },
    soon: (callback) => void setImmediate(callback),
  }
}
