// Messages that failed are tried again beside the flow: never ahead of their key, never behind another key, and at a
// cost that grows with their number and no faster.
import type { Database } from 'thence'
import { event, handler, plain } from 'thence'
import { deadLetters, redrive } from 'thence/admin'
import { describe, expect, it } from 'vitest'
import { noted } from '../kit/calls.ts'
import type { Kind } from '../kit/places.ts'
import { all, gate, kinds, look, run } from '../kit/places.ts'

const Rung = event('Rung', plain<{ bell: string; n: number }>())
const Heard = event('Heard', plain<{ bell: string; n: number }>())

/** An ear for each bell; a bell in `failing` fails once per ring, one in `slow` waits for its gate. */
const belfry = async (
  { make }: Kind,
  options: {
    failing: readonly string[]
    slow: (ring: string, attempt: number) => Promise<void> | undefined
    base?: number
    around?: (one: Database) => Database
  },
) => {
  const calls: string[] = []
  const attempts = new Map<string, number>()
  const { failing, slow, base = 0, around = (one) => one } = options
  const ear = handler('ear', Rung, {
    key: ({ data }) => data.bell,
    timeout: '1h',
    retry: { attempts: 5, base, cap: base },
    run: async ({ data }, { append }) => {
      const ring = `${data.bell}${data.n}`
      const attempt = (attempts.get(ring) ?? 0) + 1
      attempts.set(ring, attempt)
      calls.push(ring)
      await slow(ring, attempt)
      if (attempt === 1 && failing.includes(ring)) throw new Error('The first time.')
      append('ears', Heard(data))
    },
  })
  const test = await run(make(), (app) => app.use(ear).messages(Heard), { around })
  const ring = (text: string) =>
    test.app.append({
      events: text.split(' ').map((one) => Rung({ bell: one.charAt(0), n: Number(one.slice(1)) })),
    })
  const heard = async () => {
    const list = await all(test.app.stream('ears'))
    return list.map(({ data }) => {
      const { bell, n } = data as { bell: string; n: number }
      return `${bell}${n}`
    })
  }
  return { test, calls, ring, heard }
}

const failures = (signals: readonly { readonly name: string }[]): number =>
  signals.filter(({ name }) => name === 'message-failed').length

describe.each(kinds)('a message left alone because its key waits on $name', (kind) => {
  it('is handled later, though its key is free before its turn has come', async () => {
    const slow = gate()
    const { test, calls, ring, heard } = await belfry(kind, {
      failing: ['a1'],
      slow: (one) => (one === 'b1' ? slow.opened : undefined),
    })
    await ring('a1 b1 a2')
    await test.spy.message(Heard, ({ data }) => data.bell === 'a')
    slow.open()
    await test.settle()
    expect(await heard()).toEqual(['a1', 'b1', 'a2'])
    expect(calls.filter((one) => one === 'a2')).toHaveLength(1)
    expect(failures(test.spy.signals)).toBe(1)
    expect(test.spy.signals).toHaveLength(1)
  })

  it('is handled later, though it came in a page of its own', async () => {
    const slow = gate()
    const { test, calls, ring, heard } = await belfry(kind, {
      failing: ['a1'],
      base: 60_000,
      slow: (one) => (one === 'b1' ? slow.opened : undefined),
    })
    await ring('a1')
    await test.spy.signal('message-failed')
    await ring('b1 a2 c1')
    await test.spy.message(Heard, ({ data }) => data.bell === 'a')
    slow.open()
    await test.settle()
    const order = await heard()
    expect(order.filter((one) => one.startsWith('a'))).toEqual(['a1', 'a2'])
    expect(order.toSorted()).toEqual(['a1', 'a2', 'b1', 'c1'])
    expect(calls).toHaveLength(5)
    expect(test.spy.signals).toHaveLength(1)
  })
})

describe.each(kinds)('a retry that takes its time on $name', (kind) => {
  const again = (hold: Promise<void>) => (one: string, attempt: number) =>
    one === 's1' && attempt === 2 ? hold : undefined

  it('does not hold up other keys that are due with it', async () => {
    const slow = gate()
    const failing = ['s1', 'b1', 'c1']
    const { test, ring, heard } = await belfry(kind, { failing, slow: again(slow.opened) })
    await ring('s1 b1 c1 s2')
    await test.spy.message(Heard, ({ data }) => data.bell === 'b')
    await test.spy.message(Heard, ({ data }) => data.bell === 'c')
    expect((await heard()).toSorted()).toEqual(['b1', 'c1'])
    slow.open()
    await test.settle()
    expect((await heard()).slice(2)).toEqual(['s1', 's2'])
  })

  it('does not hold up other keys that are due later, or fail later', async () => {
    const slow = gate()
    const failing = ['s1', 'b1', 'c1', 'd1']
    const { test, calls, ring } = await belfry(kind, {
      failing,
      base: 10_000,
      slow: again(slow.opened),
    })
    await ring('s1')
    await test.spy.until('the slow retry', () => calls.length === 2)
    const begun = test.runtime.now()
    await ring('b1 c1')
    await test.spy.message(Heard, ({ data }) => data.bell === 'c')
    await test.spy.message(Heard, ({ data }) => data.bell === 'b')
    await ring('d1')
    await test.spy.message(Heard, ({ data }) => data.bell === 'd')
    expect(test.runtime.now() - begun).toBeLessThanOrEqual(20_000)
    slow.open()
    await test.settle()
  })
})

describe.each(kinds)('a long queue behind one key on $name', ({ make }) => {
  it('is drained with as many looks at the whole of it as a short one', async () => {
    const looks: number[] = []
    for (const length of [20, 200]) {
      const state = { broken: true, done: 0, looks: 0 }
      const note = (call: string): void => {
        if (call === 'retries.summary') state.looks += 1
      }
      const ear = handler('ear', Rung, {
        key: () => 'one',
        retry: { attempts: 1 },
        run: () => {
          if (state.broken) throw new Error('Not yet.')
          state.done += 1
        },
      })
      const test = await run(make(), (app) => app.use(ear), { around: (one) => noted(one, note) })
      await test.app.append({
        events: Array.from({ length }, (_, n) => Rung({ bell: 'one', n })),
      })
      await test.settle()
      const { database } = test.app
      const [waiting] = await look(test)(({ retries }) => retries.summary())
      expect(waiting).toMatchObject({ parked: 1, queued: length - 1 })
      state.broken = false
      state.looks = 0
      const on = { database, runtime: test.runtime }
      for (const { id } of await deadLetters(on)) await redrive(on, id)
      test.app.wake()
      await test.settle()
      expect(state.done).toBe(length)
      looks.push(state.looks)
      await test.stop()
    }
    const [few = 0, many = 0] = looks
    expect(many).toBeLessThan(few + 20)
  })
})
