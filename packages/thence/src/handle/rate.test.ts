/** Tests of the rate limit. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { RateLimit, ratePolicy } from './rate.ts'

/** Lets attempts begin as soon as they may, each after a pause; gives when they began. */
const begin = (limit: RateLimit, pauses: readonly number[]): number[] => {
  let now = 1000
  return pauses.map((pause) => {
    now += pause
    for (let wait = limit.take(now); wait > 0; wait = limit.take(now)) now += wait
    return now
  })
}

test('a limit is written with any duration', () => {
  expect(ratePolicy('It', { limit: 5, per: '1m' })).toEqual({ limit: 5, per: 60_000 })
})

test.each([
  { limit: 0, per: '1s' },
  { limit: 1.5, per: '1s' },
  { limit: 1e9, per: '1s' },
  { limit: 1, per: 0 },
  { limit: 1, per: 'soon' as '1s' },
] as const)('%j is refused', (options) => {
  expect(() => ratePolicy('It', options)).toThrow(
    expect.objectContaining({ code: 'CONFIG_INVALID' }),
  )
})

test('no stretch of time has more attempts than the limit, and none waits longer than it must', () => {
  const pauses = fc.array(fc.nat(700), { minLength: 1, maxLength: 80 })
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 7 }), pauses, (limit, list) => {
      const begun = begin(new RateLimit({ limit, per: 1000 }), list)
      for (const [at, time] of begun.entries()) {
        const before = begun[at - limit] ?? -Infinity
        expect(time - before).toBeGreaterThanOrEqual(1000)
        const asked = (begun[at - 1] ?? 1000) + (list[at] ?? 0)
        expect(time).toBe(Math.max(asked, before + 1000))
      }
    }),
  )
})

test('not even a millisecond too early', () => {
  const rate = new RateLimit({ limit: 1, per: 10 })
  expect([rate.take(0), rate.take(9), rate.take(9.5), rate.take(10)]).toEqual([0, 1, 1, 0])
})
