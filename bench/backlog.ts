/**
 * A backlog of a million messages under a heap of 192 MB: a process of its own starts on a file that holds them, with a
 * handler and a view, and works until both have caught up. Its memory must not depend on how much waits.
 */
import { spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { performance } from 'node:perf_hooks'
import type { Case, Figure, Row, Setting } from './bench.ts'
import { check } from './bench.ts'
import { filledOurs } from './filled.ts'
import { sumOf } from './load.ts'
import type { Caught } from './backlog-worker.ts'

const million = 1_000_000
const heapMiB = 192

/** Runs the worker on a file; gives what it counted and the memory that it took. */
const catchUp = async (
  path: string,
  directory: string,
  stuck: boolean,
): Promise<Caught & { readonly peakMiB: number }> => {
  const peak = `${directory}/peak.json`
  const result = `${directory}/caught.json`
  const words = [
    '--conditions=thence-source',
    `--max-old-space-size=${heapMiB}`,
    `--import=${import.meta.dirname}/peak.ts`,
    `${import.meta.dirname}/backlog-worker.ts`,
  ]
  const child = spawn(process.execPath, [...words, path, result, stuck ? 'stuck' : 'free'], {
    env: { ...process.env, NODE_ENV: 'production', THENCE_BENCH_PEAK: peak },
    stdio: ['ignore', 'ignore', 'inherit'],
  })
  const code = await new Promise<number | null>((resolve) => child.on('close', resolve))
  check('exit code of the worker', code, 0)
  const { peakMiB } = JSON.parse(readFileSync(peak, 'utf8')) as { peakMiB: number }
  return { ...(JSON.parse(readFileSync(result, 'utf8')) as Caught), peakMiB }
}

const measure = async (setting: Setting, count: number, stuck = false): Promise<Figure> => {
  const path = await filledOurs(setting, count)
  const start = performance.now()
  const { handled, viewed, queued, heap, peakMiB } = await catchUp(path, setting.directory, stuck)
  const seconds = (performance.now() - start) / 1000
  check('the sum of what was viewed', viewed, sumOf(count))
  if (stuck) check('messages that wait behind the first', queued, count - 1)
  else check('the sum of what was handled', handled, sumOf(count))
  return { value: peakMiB, beside: { 'heap MiB': heap, 'messages/s': count / seconds } }
}

const whole: Case = {
  name: 'a million messages',
  side: 'ours',
  run: (setting) => measure(setting, Math.round(million * setting.scale)),
}

const tenth: Case = {
  name: 'a tenth of them',
  side: 'ours',
  run: (setting) => measure(setting, Math.round((million / 10) * setting.scale)),
}

const behind: Case = {
  name: 'a tenth, all behind one parked message',
  side: 'ours',
  run: (setting) => measure(setting, Math.round((million / 10) * setting.scale), true),
}

export const backlog: Row = {
  name: 'delivery-backlog',
  title: `memory of a process that catches up with a handler and a view, heap of ${heapMiB} MB`,
  unit: 'MiB (peak resident)',
  durability: 'WAL, synchronous=FULL; a process of its own, from its start to its exit',
  cases: [whole, tenth, behind],
  targets: [
    { against: tenth.name, atMost: 1.25 },
    { against: behind.name, atMost: 1.5 },
  ],
  rounds: 2,
}
