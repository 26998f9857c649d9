/**
 * Times of single operations with a pause between them, and what is told of them.
 */
import { performance } from 'node:perf_hooks'
import type { Figure } from './bench.ts'
import { spread } from './measure.ts'

/** Between two measurements, so that each finds everything at rest. */
const pause = (milliseconds: number): Promise<void> =>
  new Promise((resolve) => setTimeout(resolve, milliseconds))

export const percentile = (times: readonly number[], part: number): number => {
  const sorted = times.toSorted((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? Number.NaN
}

/** The median in milliseconds, and the 99th percentile beside it. */
export const figureOf = (times: readonly number[]): Figure => ({
  value: spread(times).median,
  beside: { p99: percentile(times, 0.99) },
})

/** Events that are sent one after the other, each timed until somebody tells that it has arrived. */
export class Arrivals {
  #sent = 0
  #arrived: () => void = () => undefined

  /** How many were sent. */
  get sent(): number {
    return this.#sent
  }

  /** Event `n` is there. Others than the last one that was sent count for nothing. */
  told(n: number): void {
    if (n === this.#sent - 1) this.#arrived()
  }

  /** Milliseconds from the call of `send` until its event was told. Waits for `send` as well. */
  async time(send: (n: number) => Promise<unknown>): Promise<number> {
    const n = this.#sent
    this.#sent += 1
    const start = performance.now()
    const { promise, resolve } = Promise.withResolvers<number>()
    this.#arrived = () => resolve(performance.now() - start)
    const [time] = await Promise.all([promise, send(n)])
    return time
  }
}

/** Calls `once` with a pause between, and keeps the times after the warm-up. */
export const sample = async (
  seconds: number,
  once: () => Promise<number>,
  warmUps = 50,
): Promise<number[]> => {
  const times: number[] = []
  for (let count = 0; count < warmUps; count += 1) await once()
  const end = performance.now() + seconds * 1000
  while (performance.now() < end) {
    await pause(2)
    times.push(await once())
  }
  return times
}
