/** Tests of histograms: how far a quantile may be from the truth, and that adding them up loses nothing. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { distributionOf, Histogram, quantile, quantileError } from './histogram.ts'

const of = (values: readonly number[]): Histogram => {
  const histogram = new Histogram()
  for (const value of values) histogram.record(value)
  return histogram
}

/** Values of all sizes alike. */
const values = fc.array(
  fc.tuple(fc.double({ min: -9, max: 39, noNaN: true }), fc.boolean()).map(([exponent, whole]) => {
    const value = 2 ** exponent
    return whole ? Math.ceil(value) : value
  }),
  { minLength: 1, maxLength: 300 },
)

/** What is told is rounded to a thousandth. */
const rounding = 0.0005

test('a quantile is at most 4.4 % from the value of its rank', () => {
  expect(quantileError).toBeLessThan(0.044)
  fc.assert(
    fc.property(values, fc.double({ min: 0, max: 1, noNaN: true }), (list, part) => {
      const sorted = list.toSorted((a, b) => a - b)
      const exact = sorted[Math.max(1, Math.ceil(part * list.length)) - 1] ?? Number.NaN
      const told = quantile(of(list).buckets, part)
      expect(Math.abs(told - exact)).toBeLessThanOrEqual(exact * 0.044 + rounding)
    }),
    { numRuns: 500 },
  )
})

test('count, sum and maximum are exact', () => {
  fc.assert(
    fc.property(values, (list) => {
      const { count, sum, max } = distributionOf(of(list).buckets)
      expect(count).toBe(list.length)
      expect(Math.abs(max - Math.max(...list))).toBeLessThanOrEqual(rounding)
      const total = list.reduce((all, value) => all + value, 0)
      expect(Math.abs(sum - total)).toBeLessThanOrEqual(total * 1e-9 + rounding)
    }),
  )
})

test('two histograms added up are one of all their values', () => {
  fc.assert(
    fc.property(values, values, (left, right) => {
      const sum = of(left)
      // Through JSON, as another process has stored it.
      sum.add(JSON.parse(JSON.stringify(of(right).buckets)) as Histogram['buckets'])
      const whole = of([...left, ...right]).buckets
      expect(sum.buckets.filled).toEqual(whole.filled)
      expect(sum.buckets).toMatchObject({ count: whole.count, max: whole.max })
    }),
  )
})

test('what is told lies between nothing and the maximum, and grows with the rank', () => {
  fc.assert(
    fc.property(values, (list) => {
      const { p50, p95, p99, max } = distributionOf(of(list).buckets)
      expect([p50, p95, p99, max]).toEqual([p50, p95, p99, max].toSorted((a, b) => a - b))
      expect(p50).toBeGreaterThanOrEqual(0)
    }),
  )
})

test('nothing, negative values and what is no number count as 0; what is huge is capped', () => {
  expect(distributionOf(of([]).buckets)).toEqual({
    count: 0,
    sum: 0,
    p50: 0,
    p95: 0,
    p99: 0,
    max: 0,
  })
  expect(distributionOf(of([0, -5, Number.NaN]).buckets)).toMatchObject({
    count: 3,
    sum: 0,
    max: 0,
  })
  const huge = of([2 ** 45])
  expect(huge.buckets.filled).toHaveLength(2)
  expect(distributionOf(huge.buckets).max).toBe(2 ** 45)
})

test('it takes the same memory however much is recorded, and is empty when it is cleared', () => {
  const histogram = of(Array.from({ length: 100_000 }, (_, index) => index / 7))
  expect(histogram.buckets.filled.length).toBeLessThanOrEqual(2 * 401)
  histogram.clear()
  expect(histogram.buckets).toEqual({ count: 0, sum: 0, max: 0, filled: [] })
})
