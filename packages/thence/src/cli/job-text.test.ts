/** Tests of how far a job has come, in words. */
import { expect, test } from 'vitest'
import { jobView } from '../admin/jobs.ts'
import { noProgress, redriveKind } from '../app/redrive-job.ts'
import type { JobState } from '../ports/jobs.ts'
import { outcome } from './job-text.ts'

const told = (state: JobState): string =>
  outcome(
    jobView({
      id: 'j',
      kind: redriveKind,
      state,
      spec: '{}',
      progress: JSON.stringify({ ...noProgress, inFlight: 20 }),
      total: 100,
      next: 0,
      version: 1,
      created: 0,
      updated: 0,
      actor: 'ann',
      error: null,
    }),
  )

test('nobody counts any more what a cancelled job has on its way', () => {
  expect(told('running')).toBe('0 of 100 went through, 20 on their way')
  expect(told('cancelled')).toBe('0 of 100 went through, 20 were on their way then')
})
