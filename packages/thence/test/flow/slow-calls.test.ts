// What one process does side by side is bounded, retries included; a call that takes long holds up only its key; and no
// two calls of one key are in hand at a time, whatever an operator sends on its way again meanwhile.
import type { Database, HandlerOptions } from 'thence'
import { event, handler, plain, ThenceError } from 'thence'
import { deadLetters, redrive } from 'thence/admin'
import { describe, expect, it } from 'vitest'
import type { Place } from '../kit/places.ts'
import { all, gate, kinds, look, run, wrap } from '../kit/places.ts'

const Rung = event('Rung', plain<{ bell: string; n: number }>())
const Heard = event('Heard', plain<{ bell: string; n: number }>())

type Ring = { readonly bell: string; readonly n: number }

/** An ear that tells how many calls were in hand at a time, of all keys and of one. */
const listener = (
  options: Partial<Pick<HandlerOptions<typeof Rung>, 'concurrency' | 'partitions' | 'onFailure'>>,
  hear: (ring: Ring, attempt: number, signal: AbortSignal) => Promise<void> | undefined,
) => {
  const begun: string[] = []
  const inHand = new Map<string, number>()
  const most = { all: 0, key: 0 }
  const change = (bell: string, by: number): void => {
    inHand.set(bell, (inHand.get(bell) ?? 0) + by)
    most.all = Math.max(
      most.all,
      [...inHand.values()].reduce((sum, one) => sum + one, 0),
    )
    most.key = Math.max(most.key, inHand.get(bell) ?? 0)
  }
  const ear = handler('ear', Rung, {
    ...options,
    key: ({ data }) => data.bell,
    timeout: '1h',
    retry: { attempts: 3, base: 100, cap: 100 },
    run: async ({ data }, { append, signal }) => {
      begun.push(`${data.bell}${data.n}`)
      const attempt = begun.filter((one) => one === `${data.bell}${data.n}`).length
      change(data.bell, 1)
      try {
        await hear(data, attempt, signal)
      } finally {
        change(data.bell, -1)
      }
      append('ears', Heard(data))
    },
  })
  return { ear, begun, most }
}

const wait = ({ runtime }: Place, time: number): Promise<void> =>
  new Promise((resolve) => void runtime.after(time, resolve))

const open = async (
  place: Place,
  { ear }: Pick<ReturnType<typeof listener>, 'ear'>,
  around: (one: Database) => Database = (one) => one,
) => {
  const test = await run(place, (app) => app.use(ear).messages(Heard), { around })
  const ring = (text: string) =>
    test.app.append({
      events: text.split(' ').map((one) => Rung({ bell: one.charAt(0), n: Number(one.slice(1)) })),
    })
  const heard = async (): Promise<string[]> => {
    const list = await all(test.app.stream('ears'))
    return list.map(({ data }) => {
      const { bell, n } = data as Ring
      return `${bell}${n}`
    })
  }
  return { test, ring, heard }
}

describe.each(kinds)('calls side by side on $name', ({ make }) => {
  it.each([1, 8])('keep the limit, retries included, over %i partitions', async (partitions) => {
    const place = make()
    const made = listener({ concurrency: 2, partitions }, async (_, attempt) => {
      await wait(place, 50)
      if (attempt === 1) throw new Error('The first time.')
    })
    const { test, ring, heard } = await open(place, made)
    const rings = Array.from('abcdefghijklmnopqrstuvwxyz', (bell) => `${bell}1`)
    await ring(rings.join(' '))
    await test.settle()
    expect(made.most).toEqual({ all: 2, key: 1 })
    expect((await heard()).toSorted()).toEqual(rings)
  })
})

describe.each(kinds)('a call that takes long on $name', ({ make }) => {
  it('holds up its key and no other, and is not made a second time', async () => {
    const slow = gate()
    const made = listener({}, ({ bell, n }) => (bell === 's' && n === 1 ? slow.opened : undefined))
    const { test, ring, heard } = await open(make(), made)
    await ring('s1 a1 s2')
    await test.runtime.advance(100)
    await ring('b1 s3 c1')
    const before = test.runtime.now()
    await test.spy.message(Heard, ({ data }) => data.bell === 'c')
    expect(test.runtime.now() - before).toBeLessThan(2000)
    expect(await heard()).toEqual(['a1', 'b1', 'c1'])
    slow.open()
    await test.settle()
    expect(await heard()).toEqual(['a1', 'b1', 'c1', 's1', 's2', 's3'])
    expect(made.begun).toHaveLength(6)
    const { due, parked, queued } = await look(test)(({ retries }) => retries.outlook('ear'))
    expect({ due, parked, queued }).toEqual({ due: 0, parked: 0, queued: 0 })
  })

  it('that fails is tried again, and what has its key comes after it', async () => {
    const slow = gate()
    const made = listener({}, async ({ bell, n }, attempt) => {
      if (bell !== 's' || n !== 1 || attempt > 1) return
      await slow.opened
      throw new Error('The first time.')
    })
    const { test, ring, heard } = await open(make(), made)
    await ring('s1 s2 a1')
    await test.runtime.advance('5s')
    slow.open()
    const failed = await test.spy.signal('message-failed')
    expect(failed).toMatchObject({ attempts: 1 })
    await test.settle()
    expect(await heard()).toEqual(['a1', 's1', 's2'])
    expect(made.begun).toEqual(['s1', 'a1', 's1', 's2'])
  })

  it.each(['is not done', 'is done, and nobody is told', 'hangs'])(
    'goes on, and holds up only its key, when the commit that sets it aside %s',
    async (what) => {
      const slow = gate()
      const broken = { commits: false }
      const around = (one: Database): Database =>
        wrap(one, {
          transact: async (work, options) => {
            if (!broken.commits) return one.transact(work, options)
            if (what === 'is done, and nobody is told') await one.transact(work, options)
            const code = what === 'hangs' ? 'TRANSACTION_TIMEOUT' : 'STORE_FAILED'
            throw new ThenceError(code, 'The connection was lost.')
          },
        })
      const made = listener({}, ({ bell }) => (bell === 's' ? slow.opened : undefined))
      const { test, ring, heard } = await open(make(), made, around)
      await ring('s1 s2')
      await test.runtime.advance(500)
      broken.commits = true
      await test.runtime.advance('2s')
      broken.commits = false
      await ring('a1 s3')
      await test.runtime.advance('20s')
      expect(await heard()).toEqual(['a1'])
      slow.open()
      await test.settle()
      expect(await heard()).toEqual(['a1', 's1', 's2', 's3'])
      expect(made.begun).toEqual(['s1', 'a1', 's2', 's3'])
    },
  )

  it('leaves partitions that wait for its slot free to be handed over', async () => {
    const slow = gate()
    const place = make()
    const made = listener({ concurrency: 1, partitions: 8 }, ({ bell }) =>
      bell === 's' ? slow.opened : undefined,
    )
    const first = await open(place, made)
    await first.ring('s1')
    await place.runtime.advance('5s')
    const others = Array.from('abcdefghijklmnopqr', (bell) => `${bell}1`)
    await first.ring(others.join(' '))
    await place.runtime.advance('1s')
    expect(await first.heard()).toEqual([])
    const second = await open(place, made)
    await place.runtime.advance('10s')
    expect((await first.heard()).length).toBeGreaterThan(0)
    slow.open()
    await place.runtime.until(Promise.all([first.test.app.whenIdle(), second.test.app.whenIdle()]))
    expect((await first.heard()).toSorted()).toEqual([...others, 's1'])
    expect(made.begun).toHaveLength(others.length + 1)
  })

  it('is waited for when the app stops', async () => {
    const slow = gate()
    const place = make()
    const made = listener({}, ({ bell }) => (bell === 's' ? slow.opened : undefined))
    const first = await open(place, made)
    await first.ring('s1 a1')
    await place.runtime.advance('5s')
    const stopped = first.test.app.stop()
    slow.open()
    await place.runtime.until(stopped)
    const second = await open(place, made)
    await second.test.settle()
    expect(await second.heard()).toEqual(['a1', 's1'])
    expect(made.begun).toEqual(['s1', 'a1'])
  })

  it('is waited for, too, when it is set aside while the app stops', async () => {
    const slow = gate()
    const place = make()
    const made = listener({}, ({ bell }) => (bell === 's' ? slow.opened : undefined))
    const first = await open(place, made)
    await first.ring('s1 a1')
    await place.runtime.advance(100)
    const aside: string[] = []
    first.test.app.listen(['message-set-aside'], ({ key }) => void aside.push(key))
    const stopped = first.test.app.stop()
    await place.runtime.advance('3s')
    expect(aside).toEqual(['s'])
    slow.open()
    await place.runtime.until(stopped)
    const second = await open(place, made)
    await second.test.settle()
    expect((await second.heard()).toSorted()).toEqual(['a1', 's1'])
    expect(made.begun).toEqual(['s1', 'a1'])
  })

  it('is given back at the deadline, and no attempt is counted', async () => {
    const place = make()
    const signals: string[] = []
    const hear = async (_: Ring, attempt: number, signal: AbortSignal): Promise<void> => {
      if (attempt > 1) return
      await new Promise((resolve) => signal.addEventListener('abort', resolve))
      signal.throwIfAborted()
    }
    const made = listener({}, hear)
    const first = await open(place, made)
    await first.ring('s1')
    await place.runtime.advance('5s')
    await place.runtime.until(first.test.app.stop({ deadline: 3000 }))
    const second = await open(place, made)
    second.test.app.listen(({ name }) => void signals.push(name))
    await second.test.settle()
    expect(await second.heard()).toEqual(['s1'])
    expect(made.begun).toEqual(['s1', 's1'])
    expect(signals).not.toContain('message-failed')
  })
})

describe.each(kinds)('a letter that is redriven on $name', ({ make }) => {
  it('waits for what is in hand of its key, and nothing is called twice', async () => {
    const place = make()
    const state = { broken: true }
    const made = listener({ onFailure: 'park-message' }, async ({ n }) => {
      if (n === 0 && state.broken) throw new Error('It is broken.')
      await wait(place, 100)
    })
    const { test, ring, heard } = await open(place, made)
    await ring('a0')
    await test.settle()
    state.broken = false
    const numbers = Array.from({ length: 9 }, (_, n) => `a${n + 1}`)
    await ring(numbers.join(' '))
    await test.runtime.advance(150)
    const on = { database: test.app.database, runtime: test.runtime }
    for (const { id } of await deadLetters(on)) await redrive(on, id)
    test.app.wake()
    await test.settle()
    expect(made.most.key).toBe(1)
    expect(made.begun.slice(-10)).toEqual([...numbers, 'a0'])
    expect(await heard()).toEqual([...numbers, 'a0'])
  })

  it('waits for its key only, and is tried in order of the log, whichever is redriven first', async () => {
    const slow = gate()
    const state = { broken: true }
    const made = listener({ onFailure: 'park-message', concurrency: 2 }, ({ n }) => {
      if (state.broken) throw new Error('It is broken.')
      return n === 9 ? slow.opened : undefined
    })
    const { test, ring, heard } = await open(make(), made)
    await ring('a1 a2 a3 a4 a5 a6 a7 a8 a9 b1')
    await test.settle()
    state.broken = false
    const on = { database: test.app.database, runtime: test.runtime }
    const letters = await deadLetters(on)
    const again = async (key: string): Promise<void> => {
      const own = letters.filter((one) => one.key === key)
      for (const { id } of own.toSorted((left, right) => right.position - left.position)) {
        await redrive(on, id)
        test.app.wake()
        await test.runtime.advance(1)
      }
    }
    await again('a')
    await again('b')
    await test.runtime.advance('5s')
    expect(await heard()).toEqual(['b1'])
    slow.open()
    await test.settle()
    expect(await heard()).toEqual(['b1', 'a9', 'a1', 'a2', 'a3', 'a4', 'a5', 'a6', 'a7', 'a8'])
  })
})
