/**
 * The runtime of a real process: its clock, its timers, its randomness. The only file outside the adapters that reads
 * them.
 */
import { randomFillSync } from 'node:crypto'
import { readFileSync, readlinkSync } from 'node:fs'
import { hostname } from 'node:os'
import { performance } from 'node:perf_hooks'
import { UuidSource } from '../internal/uuid.ts'
import type { Cancel, Peers, Runtime } from '../ports/runtime.ts'

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

const read = (text: () => string): string => {
  try {
    return text().trim()
  } catch {
    return ''
  }
}

/** Where a process number means something: this boot of this machine, and this namespace of process numbers. */
const place = (): string => {
  const boot = read(() => readFileSync('/proc/sys/kernel/random/boot_id', 'utf8'))
  const namespace = read(() => readlinkSync('/proc/self/ns/pid'))
  return `${boot.slice(0, 8)}.${namespace.replace(/\D/g, '')}`
}

const runs = (pid: number): boolean => {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    // It may belong to another user.
    return !(error instanceof Error && 'code' in error && error.code === 'ESRCH')
  }
}

const peersHere = (): Peers => {
  const here = `${hostname()}/${place()}`
  return {
    name: `${here}:${process.pid}`,
    isGone(name) {
      const at = name.lastIndexOf(':')
      const pid = Number(name.slice(at + 1))
      return name.slice(0, at) === here && Number.isSafeInteger(pid) && pid > 0 && !runs(pid)
    },
  }
}

/** Found out when it is first asked for: it does not change while the process runs. */
let peers: Peers | undefined

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
    get peers() {
      return (peers ??= peersHere())
    },
  }
}
