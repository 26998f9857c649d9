/** Tests of retry policies as they are written, and of what they say after a failure. */
import { expect, test } from 'vitest'
import type { ErrorKind } from '../errors.ts'
import { nextDelay, retryAfter, retryPolicy } from './retry.ts'

test('waits are milliseconds or text', () => {
  const budget = { share: 0.2, perSecond: 10 }
  expect(retryPolicy('It')).toEqual({
    attempts: 10,
    bugAttempts: 3,
    base: 200,
    cap: 60_000,
    budget,
  })
  expect(
    retryPolicy('It', { attempts: 2, base: '5s', cap: '2m', budget: { perSecond: 1 } }),
  ).toEqual({
    attempts: 2,
    bugAttempts: 2,
    base: 5000,
    cap: 120_000,
    budget: { share: 0.2, perSecond: 1 },
  })
})

test.each([
  { attempts: 0 },
  { attempts: Number.NaN },
  { bugAttempts: 0 },
  { base: -1 },
  { cap: Infinity },
  { base: 'soon' as '1s' },
  { budget: { perSecond: 0 } },
])('%j is refused', (options) => {
  expect(() => retryPolicy('It', options)).toThrow(
    expect.objectContaining({ code: 'CONFIG_INVALID' }),
  )
})

const delays = (kind: ErrorKind, error?: unknown): (number | undefined)[] => {
  const policy = retryPolicy('It', { attempts: 5, base: 100, cap: 300 })
  return [1, 2, 3, 4, 5].map((attempts) =>
    nextDelay(policy, { attempts, kind, error, random: 0.5 }),
  )
}

test('what time mends gets all attempts, a bug few, and what nothing mends one', () => {
  expect(delays('transient')).toEqual([50, 100, 150, 150, undefined])
  expect(delays('bug')).toEqual([50, 100, undefined, undefined, undefined])
  expect(delays('permanent')).toEqual(Array.from({ length: 5 }))
})

test('an error can ask for a longer pause, also beyond the cap, but not for more attempts', () => {
  const error = { retryAfter: '2s' }
  expect(delays('transient', error)).toEqual([2050, 2100, 2150, 2150, undefined])
})

test('what an error asks for is milliseconds or text, at most a day, and nonsense is no wish', () => {
  const silent = {
    get retryAfter(): number {
      throw new Error('Do not look.')
    },
  }
  const asked = [500, '3s', '30d', -1, 'soon', Number.NaN, null, { ms: 1 }, Symbol('x')]
  expect(asked.map((one) => retryAfter({ retryAfter: one }))).toEqual([
    500, 3000, 86_400_000, 0, 0, 0, 0, 0, 0,
  ])
  expect([undefined, null, 'text', silent].map(retryAfter)).toEqual([0, 0, 0, 0])
})
