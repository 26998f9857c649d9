/** Tests of the door that every attempt of a handler passes. */
import { expect, test } from 'vitest'
import { virtualRuntime } from '../testing/virtual-runtime.ts'
import type { Outcome } from './breaker.ts'
import { defaultBudget } from './budget.ts'
import type { PacePolicy } from './pace.ts'
import { Pace } from './pace.ts'

const breaker = { failures: 0.5, minimum: 4, window: 1000, pause: 10_000 }
const { signal } = new AbortController()

const setUp = (policy: Partial<PacePolicy>) => {
  const runtime = virtualRuntime({ start: 0 })
  const news: string[] = []
  const pace = new Pace({ budget: defaultBudget, concurrency: 10, ...policy }, runtime, (one) =>
    news.push(one.name),
  )
  /** Begins one and ends it so. */
  const attempt = async (outcome: Outcome, as: 'first' | 'retry' = 'first'): Promise<boolean> => {
    const permit = await pace.begin(as, signal)
    if (permit !== undefined) pace.end(permit, outcome)
    return permit !== undefined
  }
  const fail = async (): Promise<void> => {
    for (let one = 0; one < 4; one += 1) await attempt('transient')
  }
  return { runtime, pace, news, attempt, fail }
}

test('without limits everything may begin at once', async () => {
  const { pace, runtime } = setUp({})
  for (let one = 0; one < 1000; one += 1) await pace.begin('first', signal)
  expect([runtime.now(), runtime.planned, pace.holding, pace.opensIn]).toEqual([0, 0, false, 0])
})

test('first attempts and retries share the rate, in the order in which they came', async () => {
  const { pace, runtime } = setUp({ rate: { limit: 2, per: 1000 } })
  const begun: string[] = []
  const kinds = ['first', 'retry', 'first', 'retry', 'first'] as const
  const all = kinds.map(async (kind, at) => {
    if (kind === 'retry') await pace.afford(signal)
    await pace.begin(kind, signal)
    begun.push(`${at} at ${runtime.now()}`)
  })
  await runtime.advance(999)
  expect([begun, runtime.planned]).toEqual([['0 at 0', '2 at 0'], 1])
  await runtime.until(Promise.all(all))
  expect(begun.slice(2)).toEqual(['4 at 1000', '1 at 1000', '3 at 2000'])
})

test('retries wait for their budget, and first attempts pass them', async () => {
  const { pace, runtime } = setUp({ budget: { share: 0.5, perSecond: 1 } })
  for (let one = 0; one < 10; one += 1) await pace.afford(signal)
  const late = pace.afford(signal)
  const next = pace.afford(signal)
  await pace.begin('first', signal)
  expect(runtime.now()).toBe(0)
  await runtime.until(late)
  expect(runtime.now()).toBe(1000)
  // The first attempt has paid for half of the next retry.
  await runtime.until(next)
  expect(runtime.now()).toBe(1500)
})

test('who waits can be told to give up, and leaves no timer behind', async () => {
  const { pace, runtime } = setUp({ rate: { limit: 1, per: 1000 } })
  await pace.begin('first', signal)
  const giveUp = new AbortController()
  const waiting = [pace.begin('first', giveUp.signal), pace.begin('retry', giveUp.signal)]
  await runtime.rest()
  giveUp.abort()
  expect(await Promise.all(waiting)).toEqual([undefined, undefined])
  expect(await pace.begin('retry', giveUp.signal)).toBeUndefined()
  await runtime.advance(1000)
  expect(runtime.planned).toBe(0)
})

test('in an outage nothing begins until one probes, and all hear when they may go on', async () => {
  const { pace, runtime, news, attempt, fail } = setUp({ breaker })
  await fail()
  expect([pace.holding, pace.opensIn, await attempt('done')]).toEqual([true, 10_000, false])
  let heard = 0
  const stop = pace.whenFree(() => (heard += 1))
  await runtime.advance(10_000)
  expect([heard, pace.holding]).toEqual([1, false])
  const probe = await pace.begin('first', signal)
  expect([pace.holding, await attempt('done')]).toEqual([true, false])
  if (probe !== undefined) pace.end(probe, 'done')
  expect([heard, pace.holding]).toEqual([2, false])
  stop()
  expect(news).toEqual(['breaker-opened', 'breaker-half-opened', 'breaker-closed'])
  expect(runtime.planned).toBe(0)
})

test('what waits for its turn when the outage begins does not begin', async () => {
  const { pace, runtime, attempt } = setUp({ breaker, rate: { limit: 4, per: 100 } })
  const inHand = await Promise.all([1, 2, 3, 4].map(() => pace.begin('first', signal)))
  const waiting = pace.begin('first', signal)
  for (const permit of inHand) if (permit !== undefined) pace.end(permit, 'transient')
  expect(await runtime.until(waiting)).toBeUndefined()
  expect(await attempt('done')).toBe(false)
})

test('what was refused when its turn came takes no place of those that begin after the outage', async () => {
  const { pace, runtime, attempt } = setUp({ breaker, rate: { limit: 4, per: 100 } })
  const inHand = await Promise.all([1, 2, 3, 4].map(() => pace.begin('first', signal)))
  const waiting = pace.begin('first', signal)
  for (const permit of inHand) if (permit !== undefined) pace.end(permit, 'transient')
  expect(await runtime.until(waiting)).toBeUndefined()
  await runtime.advance(10_000)
  await attempt('done')
  const closed = runtime.now()
  expect(await runtime.until(pace.begin('first', signal))).toBeDefined()
  expect(runtime.now()).toBe(closed)
})

test('after an outage there is one at a time at first, and more by and by', async () => {
  const { pace, runtime, attempt, fail } = setUp({ breaker })
  await fail()
  await runtime.advance(10_000)
  await attempt('done')
  let inHand = 0
  const all = Array.from({ length: 10 }, async () => {
    await pace.begin('first', signal)
    inHand += 1
  })
  const seen: number[] = []
  for (let second = 0; second < 11; second += 1) {
    await runtime.rest()
    seen.push(inHand)
    await runtime.advance(1000)
  }
  expect(seen).toEqual([1, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10])
  await Promise.all(all)
})

test('during the slow start the next begins as soon as one has ended', async () => {
  const { pace, runtime, attempt, fail } = setUp({ breaker })
  await fail()
  await runtime.advance(10_000)
  await attempt('done')
  const first = await pace.begin('first', signal)
  const second = pace.begin('first', signal)
  if (first !== undefined) pace.end(first, 'done')
  expect(await second).toBeDefined()
  expect(runtime.now()).toBe(10_000)
})
