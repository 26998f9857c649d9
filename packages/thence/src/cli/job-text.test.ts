/** Tests of how far a job has come, in words. */
import { expect, test } from 'vitest'
import { jobView } from '../admin/jobs.ts'
import { noProgress, redriveKind } from '../app/redrive-state.ts'
import type { Job } from '../ports/jobs.ts'
import { openJobTable, outcome } from './job-text.ts'
import { Terminal } from './terminal.ts'

const job = (change: Partial<Job> = {}): Job => ({
  id: 'j',
  kind: redriveKind,
  state: 'running',
  spec: '{}',
  progress: JSON.stringify({ ...noProgress, inFlight: 20 }),
  total: 100,
  next: 0,
  version: 1,
  created: 0,
  updated: 0,
  actor: 'ann',
  error: null,
  ...change,
})

const told = (state: Job['state']): string => outcome(jobView(job({ state }), null))

test('nobody counts any more what a cancelled job has on its way', () => {
  expect(told('running')).toBe('0 of 100 went through, 20 on their way')
  expect(told('cancelled')).toBe('0 of 100 went through, 20 were on their way then')
})

test('what a job has left behind when it is done waits behind messages that are parked', () => {
  expect(told('done')).toBe('0 of 100 went through, 20 wait behind messages that are parked')
})

test('what failed again is not done, and told beside what is', () => {
  const progress = JSON.stringify({ ...noProgress, resolved: 1, failed: 2 })
  const view = jobView(job({ state: 'stopped', progress, total: 4 }), null)
  const [, row] = openJobTable(new Terminal({ color: false }), [view], 0)
  expect(row).toMatch(/^redrive +stopped +1 of 4, 2 failed again +-/)
})

test('how long it will take is told of a job that runs, and not of one that waits', () => {
  const half = job({ progress: JSON.stringify({ ...noProgress, resolved: 50 }), updated: 60_000 })
  const row = (waits: string | null): string | undefined =>
    openJobTable(new Terminal({ color: false }), [jobView(half, waits)], 60_000)[1]
  expect(row(null)).toMatch(/^redrive +running +50 of 100 +1 min +now/)
  expect(row('no app runs')).toMatch(/^redrive +waiting +50 of 100 +- +now/)
})
