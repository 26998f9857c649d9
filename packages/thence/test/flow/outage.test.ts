// What a handler calls is down for half an hour: nothing is given up, hardly anything is called, and when it is back it is
// not overrun. A message that is bad by itself is told from an outage.
import type { HandlerOptions } from 'thence'
import { event, handler, plain } from 'thence'
import { describe, expect, it } from 'vitest'
import type { Kind } from '../kit/places.ts'
import { kinds, look, run } from '../kit/places.ts'

const Rung = event('Rung', plain<{ n: number }>())
type Options = Partial<HandlerOptions<typeof Rung>>
type Test = Awaited<ReturnType<typeof run>>

const minute = 60_000
/** Messages a second. */
const steady = 1
const outage = 30 * minute

/** How what is called is out of order. */
const ways = {
  'refuses at once': () => Promise.reject(new Error('connect ECONNREFUSED')),
  'never answers': () => new Promise<never>(() => undefined),
}

const setUp = async (
  kind: Kind,
  way: () => Promise<never>,
  options: Options = { breaker: true },
) => {
  const place = kind.make()
  const { runtime } = place
  const state = { down: false, calls: [] as number[], done: new Set<number>() }
  const one = handler('bell', Rung, {
    key: ({ data }) => `bell ${data.n}`,
    rate: { limit: 3, per: '2s' },
    timeout: '2s',
    concurrency: 4,
    run: async ({ data: { n } }) => {
      state.calls.push(runtime.now())
      if (state.down) await way()
      await new Promise<void>((resolve) => void runtime.after(50, resolve))
      state.done.add(n)
    },
    ...options,
  })
  const test = await run(place, (app) => app.use(one))
  let n = 0
  /** Time passes, and messages come. */
  const pass = async (duration: number): Promise<void> => {
    for (const end = runtime.now() + duration; runtime.now() < end;) {
      await test.app.append({ events: Rung({ n: n++ }) })
      await runtime.advance(1000 / steady)
    }
  }
  return { test, runtime, state, pass, sent: () => n }
}

const letters = (test: Test) => look(test)(({ deadLetters }) => deadLetters.counts())

const names = (test: Test): string[] =>
  test.spy.signals.map(({ name }) => name).filter((name) => name.startsWith('breaker'))

/** The most calls in any two seconds, for each second. */
const peak = (calls: readonly number[]): number =>
  Math.max(...calls.map((time) => calls.filter((one) => one >= time && one < time + 2000).length)) /
  2

const memory = kinds[0] as Kind
const sqlite = kinds[1] as Kind
const cases = [
  { name: 'memory', kind: memory, way: 'refuses at once' },
  { name: 'memory', kind: memory, way: 'never answers' },
  { name: 'sqlite', kind: sqlite, way: 'refuses at once' },
] as const

describe('an outage of half an hour', () => {
  it.each(cases)(
    'of what $way, on $name: nothing is given up, and it is spared while it is down and when it is back',
    async ({ kind, way }) => {
      const { test, runtime, state, pass, sent } = await setUp(kind, ways[way])
      await pass(minute)
      expect(state.done.size).toBeGreaterThanOrEqual(60 * steady - 5)

      state.down = true
      const [before, from] = [state.calls.length, runtime.now()]
      await pass(outage)
      // It takes some failures to be sure, and then one call in half a minute.
      const during = state.calls.length - before
      expect(during).toBeLessThan(50 + outage / 30_000)
      expect(during).toBeGreaterThan(20 + outage / 40_000)

      state.down = false
      await pass(10 * minute)
      await test.settle()
      const after = state.calls.filter((time) => time > from + outage)
      expect(peak(after)).toBeLessThanOrEqual(1.5 * steady)
      expect(state.done.size).toBe(sent())
      expect(await letters(test)).toEqual({ parked: 0, redriven: 0, resolved: 0, discarded: 0 })
      expect(names(test).slice(0, 2)).toEqual(['breaker-opened', 'breaker-half-opened'])
      expect(names(test).slice(-2)).toEqual(['breaker-half-opened', 'breaker-closed'])
    },
    3 * minute,
  )
})

describe('a breaker', () => {
  const refuses = ways['refuses at once']

  it('is what keeps them: without it the outage gives them up', async () => {
    const { test, state, pass } = await setUp(memory, refuses, { rate: { limit: 100, per: '1s' } })
    state.down = true
    await pass(5 * minute)
    expect((await letters(test)).parked).toBeGreaterThan(40)
  }, 30_000)

  it('does not open for messages that are bad by themselves', async () => {
    const bad = Object.assign(new Error('No such order.'), { retryable: false })
    const { test, state, pass } = await setUp(memory, () => Promise.reject(bad))
    state.down = true
    await pass(minute)
    await test.settle()
    expect(names(test)).toEqual([])
    expect((await letters(test)).parked).toBe(60 * steady)
  }, 30_000)

  it('is not kept open by a message that never goes through, and that is given up in the end', async () => {
    const { test, state, pass, runtime, sent } = await setUp(memory, refuses, {
      breaker: true,
      key: ({ data }) => `bell ${data.n % 50}`,
      run: async ({ data: { n } }) => {
        state.calls.push(n)
        if (state.down || n === 5) await refuses()
        state.done.add(n)
      },
    })
    state.down = true
    await pass(2 * minute)
    state.down = false
    await pass(2 * minute)
    await runtime.advance('10m')
    await test.settle()
    expect(names(test).at(-1)).toBe('breaker-closed')
    expect((await letters(test)).parked).toBe(1)
    // Of its key nothing goes on behind it.
    const behind = Array.from({ length: sent() }, (_, n) => n).filter((n) => n % 50 === 5)
    expect(state.done.size).toBe(sent() - behind.length)
    expect(state.calls.filter((n) => n === 5).length).toBeLessThan(10 + 8)
  }, 60_000)

  it('costs a message no attempt however long it is open, and tells when the next one is', async () => {
    const { test, runtime, state } = await setUp(memory, refuses, {
      breaker: { failures: 0.5, minimum: 3, window: '1m', pause: '30s' },
      retry: { attempts: 5, base: 2000, cap: 2000 },
    })
    state.down = true
    await test.app.append({ events: Rung({ n: 0 }) })
    await runtime.advance(outage)
    expect(state.calls.length).toBeGreaterThan(50)
    state.down = false
    await runtime.advance('1m')
    await test.settle()
    expect(state.done).toEqual(new Set([0]))
    expect(await letters(test)).toMatchObject({ parked: 0 })
    const told = test.spy.signals.flatMap((one) => (one.name === 'message-failed' ? [one] : []))
    expect(told.at(-1)?.attempts).toBe(3)
    for (const [at, { retryIn }] of told.entries()) {
      const waited = (state.calls[at + 1] ?? Infinity) - (state.calls[at] ?? 0)
      expect(Math.abs(waited - retryIn)).toBeLessThanOrEqual(250)
    }
  }, 30_000)

  it('tells what it has counted when it opens', async () => {
    const { test, state, pass } = await setUp(memory, refuses)
    state.down = true
    await pass(minute)
    expect(names(test).length).toBeGreaterThan(0)
    const opened = test.spy.signals.find(({ name }) => name === 'breaker-opened')
    expect(opened).toMatchObject({
      subscription: 'bell',
      attempts: 20,
      failures: 20,
      pause: 30_000,
    })
  }, 30_000)
})
