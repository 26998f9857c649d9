/** Tests of the circuit breaker's state. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Outcome, Permit } from './breaker.ts'
import { Breaker, breakerPolicy } from './breaker.ts'

const policy = { failures: 0.5, minimum: 4, window: 1000, pause: 5000 }

const end = (breaker: Breaker, permit: Permit | undefined, [how, now]: [Outcome, number]) =>
  permit === undefined ? 'refused' : breaker.end(permit, how, now)

const run = (breaker: Breaker, outcomes: readonly Outcome[], now: number): unknown[] =>
  outcomes.map((outcome) => end(breaker, breaker.begin(now), [outcome, now]))

const opened = (now = 0): Breaker => {
  const breaker = new Breaker(policy)
  run(breaker, ['transient', 'transient', 'transient', 'transient'], now)
  return breaker
}

test('what is left out is as the default says', () => {
  expect(breakerPolicy('It')).toEqual({
    failures: 0.5,
    minimum: 20,
    window: 30_000,
    pause: 30_000,
  })
  expect(breakerPolicy('It', { pause: '1m', minimum: 3 })).toMatchObject({
    minimum: 3,
    pause: 60_000,
  })
})

test.each([
  { failures: 0 },
  { failures: 1.1 },
  { failures: Number.NaN },
  { minimum: 0 },
  { minimum: 1.5 },
  { window: 0 },
  { pause: 'soon' as '1s' },
])('%j is refused', (options) => {
  expect(() => breakerPolicy('It', options)).toThrow(
    expect.objectContaining({ code: 'CONFIG_INVALID' }),
  )
})

test('it opens at the share of failures, not before the minimum, and then refuses', () => {
  const breaker = new Breaker(policy)
  expect(run(breaker, ['transient', 'transient', 'done', 'transient', 'done'], 0)).toEqual([
    undefined,
    undefined,
    undefined,
    'opened',
    'refused',
  ])
  expect([breaker.state(4999), breaker.opensIn(4999)]).toEqual(['open', 1])
})

test('what time does not mend is no failure of what is called, and what was broken off is nothing', () => {
  const breaker = new Breaker(policy)
  const outcomes: Outcome[] = ['permanent', 'bug', 'none', 'permanent', 'bug', 'transient', 'none']
  run(breaker, outcomes, 0)
  expect([breaker.state(0), breaker.counts(0)]).toEqual(['closed', { attempts: 5, failures: 1 }])
})

test('failures that lie further apart than the window do not add up', () => {
  const breaker = new Breaker(policy)
  for (let now = 0; now < 20_000; now += 400) run(breaker, ['transient'], now)
  expect(breaker.state(20_000)).toBe('closed')
  expect(breaker.counts(20_000).attempts).toBeLessThanOrEqual(3)
})

test('after the pause one attempt probes: it closes, opens again, or leaves it to the next', () => {
  const breaker = opened()
  expect(run(breaker, ['done'], 4999)).toEqual(['refused'])
  const probe = breaker.begin(5000)
  expect(probe).toMatchObject({ probe: true })
  expect([breaker.state(5000), breaker.begin(5000)]).toEqual(['half-open', undefined])
  expect(end(breaker, probe, ['transient', 6000])).toBe('opened')
  expect(run(breaker, ['done'], 10_999)).toEqual(['refused'])
  expect(run(breaker, ['none', 'permanent', 'bug', 'done'], 11_000)).toEqual([
    undefined,
    undefined,
    undefined,
    'closed',
  ])
  expect([breaker.state(11_000), breaker.closedFor(11_500)]).toEqual(['closed', 500])
})

test('what began before it opened says nothing after that', () => {
  const breaker = new Breaker(policy)
  const early = [breaker.begin(0), breaker.begin(0)]
  run(breaker, ['transient', 'transient', 'transient', 'transient'], 0)
  for (const permit of early) expect(end(breaker, permit, ['done', 6000])).toBeUndefined()
  expect(breaker.state(6000)).toBe('half-open')
})

test('whatever happens, it never lets two probe at a time, and nothing begin while it is open', () => {
  const step = fc.record({
    pause: fc.nat(3000),
    begin: fc.boolean(),
    outcome: fc.constantFrom<Outcome>('done', 'transient', 'bug', 'none'),
  })
  fc.assert(
    fc.property(fc.array(step, { maxLength: 120 }), (steps) => {
      const breaker = new Breaker(policy)
      const inHand: Permit[] = []
      let now = 0
      for (const { pause, begin, outcome } of steps) {
        now += pause
        const state = breaker.state(now)
        const permit = begin ? breaker.begin(now) : undefined
        if (permit !== undefined) inHand.push(permit)
        expect(state === 'open' && permit !== undefined).toBe(false)
        expect(inHand.filter(({ probe }) => probe).length).toBeLessThanOrEqual(1)
        const ended = begin ? undefined : inHand.shift()
        if (ended !== undefined) breaker.end(ended, outcome, now)
      }
    }),
  )
})

test('what began before an outage says nothing after it', () => {
  const breaker = new Breaker({ failures: 0.5, minimum: 2, window: 1000, pause: 100 })
  const begun = Array.from({ length: 5 }, () => breaker.begin(0) as Permit)
  const ends = begun.map((permit, at) => breaker.end(permit, 'transient', at))
  expect(ends).toEqual([undefined, 'opened', undefined, undefined, undefined])
  expect(breaker.opensIn(10)).toBe(91)
})

test('an outage that is over is not held against what comes after it', () => {
  const breaker = new Breaker({ failures: 0.5, minimum: 2, window: 1000, pause: 100 })
  for (const at of [0, 1]) breaker.end(breaker.begin(at) as Permit, 'transient', at)
  expect(breaker.end(breaker.begin(101) as Permit, 'done', 102)).toBe('closed')
  expect(breaker.counts(103)).toEqual({ attempts: 0, failures: 0 })
  expect(breaker.end(breaker.begin(103) as Permit, 'transient', 103)).toBeUndefined()
})
