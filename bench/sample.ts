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
