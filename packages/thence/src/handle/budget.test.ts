/** Tests of the retry budget. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { RetryBudget, budgetPolicy } from './budget.ts'

test('what is left out is as the default says', () => {
  expect(budgetPolicy('It')).toEqual({ share: 0.2, perSecond: 10 })
  expect(budgetPolicy('It', { share: 0 })).toEqual({ share: 0, perSecond: 10 })
})

test.each([{ share: -1 }, { share: Number.NaN }, { perSecond: 0 }, { perSecond: Infinity }])(
  '%j is refused',
  (options) => {
    expect(() => budgetPolicy('It', options)).toThrow(
      expect.objectContaining({ code: 'CONFIG_INVALID' }),
    )
  },
)

test('retries are at most the share of first attempts, what a second allows, and what was saved', () => {
  const steps = fc.array(fc.record({ pause: fc.nat(300), first: fc.nat(5), retries: fc.nat(8) }))
  fc.assert(
    fc.property(steps, fc.double({ min: 0, max: 2, noNaN: true }), (list, share) => {
      const budget = new RetryBudget({ share, perSecond: 4 })
      let [now, first, granted] = [0, 0, 0]
      for (const step of list) {
        now += step.pause
        for (let one = 0; one < step.first; one += 1) budget.earn()
        first += step.first
        for (let one = 0; one < step.retries; one += 1) granted += budget.take(now) === 0 ? 1 : 0
      }
      expect(granted).toBeLessThanOrEqual(first * share + (now / 1000) * 4 + 40 + 1e-6)
    }),
  )
})

test('who is told to wait so long gets through then, also without first attempts', () => {
  const budget = new RetryBudget({ share: 0, perSecond: 0.5 })
  let now = 0
  for (let one = 0; one < 5; one += 1) expect(budget.take(now)).toBe(0)
  for (let one = 0; one < 3; one += 1) {
    const wait = budget.take(now)
    expect(wait).toBe(2000)
    now += wait
    expect(budget.take(now)).toBe(0)
  }
})

test('what is saved has an end, whether time or first attempts have saved it', () => {
  const spend = (budget: RetryBudget, now: number): number => {
    let spent = 0
    while (budget.take(now) === 0) spent += 1
    return spent
  }
  const rested = new RetryBudget({ share: 0.5, perSecond: 2 })
  expect(spend(rested, 0)).toBe(20)
  expect(spend(rested, 3_600_000)).toBe(20)
  const earned = new RetryBudget({ share: 0.5, perSecond: 2 })
  for (let attempts = 0; attempts < 1000; attempts += 1) earned.earn()
  expect(spend(earned, 0)).toBe(20)
})
