/**
 * Loaded before a program that is measured as a process of its own: writes at its end how much memory it took at most.
 */
import { writeFileSync } from 'node:fs'

const path = process.env['THENCE_BENCH_PEAK']

process.on('exit', () => {
  if (path === undefined) return
  const { maxRSS } = process.resourceUsage()
  writeFileSync(path, JSON.stringify({ peakMiB: maxRSS / 1024 }))
})
