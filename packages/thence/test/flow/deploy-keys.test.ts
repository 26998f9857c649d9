// A deploy whose version goes by another key: it begins where both keys mean the same, and not before; then no process goes by
// the old one, and nothing is lost, done twice or overtaken.
import { aggregate, command, documents, event, handler, plain, projection, saga } from 'thence'
import type { HandlerContext } from 'thence'
import * as admin from 'thence/admin'
import { describe, expect, it } from 'vitest'
import { hashOf } from '../../src/internal/hash.ts'
import type { Place } from '../kit/places.ts'
import { gate, kinds, look, run } from '../kit/places.ts'

interface Ring {
  readonly bell: string
  readonly room: string
  readonly n: number
}

const Rung = event('Rung', plain<Ring>())

const texts = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h']
/** Texts whose hashes are even, and such whose hashes are odd. */
const [even, odd] = [0, 1].map((rest) => texts.filter((text) => hashOf(text) % 2 === rest)) as [
  string[],
  string[],
]

interface Ear {
  readonly partitions?: number
  readonly attempts?: number
  readonly before?: (ring: Ring, context: HandlerContext) => Promise<void> | void
}

/** Hears in order of bells, as version 1 of its key says; the store counts how often each was heard. */
const byBell = (heard: string[], options: Ear = {}) => ear(heard, { ...options, version: 1 })
/** Hears in order of rooms, as version 2 says. */
const byRoom = (heard: string[], options: Ear = {}) => ear(heard, { ...options, version: 2 })

const ear = (
  heard: string[],
  { version, before, attempts = 1, partitions = 1 }: Ear & { readonly version: 1 | 2 },
) =>
  handler('ear', Rung, {
    key: ({ data }) => (version === 1 ? data.bell : data.room),
    keyVersion: version,
    partitions,
    replay: 'idempotent',
    retry: { attempts, base: 100, cap: 100 },
    run: async ({ data }, context) => {
      await before?.(data, context)
      heard.push(`${version}: ${data.n}`)
      context.within(async ({ documents: store }) => {
        const times = Number((await store.get('heard', `${data.n}`)) ?? '0')
        await store.put('heard', `${data.n}`, `${times + 1}`)
      })
    },
  })

const start = (place: Place, one: ReturnType<typeof ear>) => run(place, (app) => app.use(one))

type Test = Awaited<ReturnType<typeof start>>

const onceEach = async (test: Test, count: number): Promise<void> => {
  const rows = await look(test)((one) => one.documents.list('heard', { limit: 100 }))
  const expected = Array.from({ length: count }, (_, index) => [`${index + 1}`, '1'])
  expect(rows.map(({ key, value }) => [key, value])).toEqual(expected)
}

const refused = async (place: Place, one: ReturnType<typeof ear>, words: RegExp): Promise<void> =>
  expect(start(place, one)).rejects.toMatchObject({
    code: 'STATE_INVALID',
    message: expect.stringMatching(words) as unknown,
  })

describe.each(kinds)('a handler whose key changes, on $name', ({ make }) => {
  it('does not start while its partitions stand apart, then loses nothing and does nothing twice', async () => {
    const place = make()
    const heard: string[] = []
    const door = gate()
    const [slow, quick] = [even[0]!, odd[0]!]
    const old = (partitions: number) =>
      byBell(heard, {
        partitions,
        before: async ({ bell }, { signal }) => {
          if (bell !== slow) return
          const aborted = new Promise<void>((resolve) =>
            signal.addEventListener('abort', () => resolve()),
          )
          await Promise.race([door.opened, aborted])
          signal.throwIfAborted()
        },
      })
    const one = await start(place, old(2))
    // By the new key each of them belongs to the other partition.
    const rings = [
      Rung({ bell: slow, room: odd[0]!, n: 1 }),
      Rung({ bell: quick, room: even[0]!, n: 2 }),
    ]
    await one.app.append({ events: rings })
    await place.runtime.advance(50)
    await place.runtime.until(one.app.stop({ deadline: 0 }))
    const young = byRoom(heard, { partitions: 2 })
    await refused(place, young, /ear .*stand apart, at positions from 0 to 2.*partitions: 1/)
    // A single partition is at one position, but does not know by the new key what was done beyond it.
    const single = await start(place, old(1))
    await place.runtime.until(single.app.stop({ deadline: 0 }))
    await refused(place, young, /stand apart/)
    door.open()
    const again = await start(place, old(1))
    await again.settle()
    await again.stop()
    const two = await start(place, young)
    await two.app.append({ events: Rung({ bell: slow, room: even[0]!, n: 3 }) })
    await two.settle()
    expect(heard).toEqual(['1: 2', '1: 1', '2: 3'])
    await onceEach(two, 3)
  })

  it('does not start while messages wait under the old one, and does when they were given up', async () => {
    const place = make()
    const heard: string[] = []
    let broken = true
    const before = ({ n }: Ring): void => {
      if (broken && n === 1) throw new Error('This bell is broken.')
    }
    const one = await start(place, byBell(heard, { before }))
    await one.app.append({
      events: [1, 2, 3].map((n) => Rung({ bell: n < 3 ? 'a' : 'b', room: 'r', n })),
    })
    await one.settle()
    await one.stop()
    const young = byRoom(heard, { before })
    await refused(place, young, /0 due, 1 parked, 1 queued.*dead-letters list --subscription ear/)
    const again = await start(place, byBell(heard, { before }))
    const on = { database: again.app.database, runtime: place.runtime }
    const [letter] = await admin.deadLetters(on)
    await admin.discard(on, letter!.id, 'the key changes')
    await again.advance('2s')
    await again.stop()
    const two = await start(place, young)
    broken = false
    await admin.restore({ ...on, database: two.app.database }, letter!.id)
    await admin.redrive({ ...on, database: two.app.database }, letter!.id)
    await two.advance('2s')
    expect(heard).toEqual(['1: 3', '1: 2', '2: 1'])
    await onceEach(two, 3)
  })

  it('is taken over in a rolling deploy, and commits nothing of what the old one has in hand', async () => {
    const place = make()
    const heard: string[] = []
    const door = gate()
    const one = await start(place, byBell(heard, { before: () => door.opened }))
    await one.app.append({ events: Rung({ bell: 'a', room: 'r', n: 1 }) })
    await place.runtime.advance(0)
    const two = await start(place, byRoom(heard))
    // The old one has not looked yet, and does not know.
    door.open()
    await place.runtime.advance(10)
    await one.app.append({ events: [2, 3].map((n) => Rung({ bell: 'a', room: 'r', n })) })
    await two.settle()
    expect(heard).toEqual(['1: 1', '2: 1', '2: 2', '2: 3'])
    await onceEach(two, 3)
    expect(one.spy.signals.map(({ name }) => name)).toContain('lease-lost')
    const [told] = one.spy.signals.filter(({ name }) => name === 'key-replaced')
    expect(told).toMatchObject({ subscription: 'ear', keyVersion: 1, stored: 2 })
  })

  it('waits while only the old one is left, and a rollback goes on where it stood', async () => {
    const place = make()
    const heard: string[] = []
    const one = await start(place, byBell(heard))
    const two = await start(place, byRoom(heard))
    await place.runtime.advance('3s')
    await two.stop()
    await one.app.append({ events: Rung({ bell: 'a', room: 'r', n: 1 }) })
    await place.runtime.advance('10s')
    expect(heard).toEqual([])
    const on = { database: one.app.database, runtime: place.runtime }
    expect((await admin.status(on)).attention).toMatchObject([
      {
        name: 'ear',
        what: '1 behind, and no process takes all of Rung by version 2 of its key',
      },
    ])
    expect(await admin.subscription(on, 'ear')).toMatchObject({ keyVersion: 2 })
    const back = await start(place, byBell(heard))
    await back.settle()
    expect(heard).toEqual(['1: 1'])
    await onceEach(back, 1)
    const again = await start(place, byRoom(heard))
    await again.app.append({ events: Rung({ bell: 'a', room: 'r', n: 2 }) })
    await again.settle()
    expect(heard.at(-1)).toBe('2: 2')
    await onceEach(again, 2)
  })
})

describe.each(kinds)('a replay to a handler whose key has changed, on $name', ({ make }) => {
  it('is left alone by a process that goes by the old key', async () => {
    const place = make()
    const heard: string[] = []
    const one = await start(place, byBell(heard))
    await one.app.append({ events: Rung({ bell: 'a', room: 'r', n: 1 }) })
    await one.settle()
    const two = await start(place, byRoom(heard))
    await place.runtime.advance('3s')
    await two.stop()
    const on = { database: one.app.database, runtime: place.runtime }
    await admin.startReplay(on, 'ear')
    await place.runtime.advance('5s')
    const waits = () => look(one)(({ retries }) => retries.find('ear', 1))
    expect(await waits()).toBeUndefined()
    const again = await start(place, byRoom(heard))
    await again.advance('5s')
    expect(heard).toEqual(['1: 1', '2: 1'])
    expect(await waits()).toBeUndefined()
  })
})

describe.each(kinds)('a wait for a handler whose key has changed, on $name', ({ make }) => {
  it('does not tell by the old key that it has come there', async () => {
    const place = make()
    const door = gate()
    const one = await start(place, byBell([], { partitions: 2 }))
    await start(place, byRoom([], { partitions: 2, before: () => door.opened }))
    await place.runtime.advance('3s')
    // By the old key it would belong to the partition that has nothing left to do.
    const ring = Rung({ bell: even[0]!, room: odd[0]!, n: 1 })
    const { position } = await one.app.append({ events: ring })
    await place.runtime.advance('3s')
    const come = one.app.until(position, { handler: 'ear', timeout: '1s' })
    await expect(place.runtime.until(come)).rejects.toMatchObject({ code: 'POSITION_TIMEOUT' })
    door.open()
    await place.runtime.until(one.app.until(position, { handler: 'ear' }))
  })
})

const counts = (heard: string[], version: number) =>
  projection('counts', {
    key: ({ data }) => (version === 1 ? (data as Ring).bell : (data as Ring).room),
    keyVersion: version,
    retry: { attempts: 1 },
    view: documents<number>(),
    on: (on) =>
      on(Rung, ({ data }, view) => {
        if (data.n === 1) throw new Error('This bell is broken.')
        heard.push(`${version}: ${data.n}`)
        return view.update(data.bell, (before = 0) => before + 1)
      }),
  })

it('every part that follows the log says the version of its key', async () => {
  const place = kinds[0]!.make()
  const Ring = command('Ring', plain<Ring>())
  const bells = aggregate('bells', {
    initial: () => 0,
    evolve: (on) => on(Rung, (count) => count + 1),
    decide: (on) => on(Ring, (_, { data }) => Rung(data)),
    stream: ({ data }) => data.bell,
    keyVersion: 3,
  })
  const rooms = saga('rooms', {
    startedBy: Rung,
    key: ({ data }) => data.room,
    keyVersion: 4,
    on: (on) => on(Rung, () => undefined),
  })
  const test = await run(place, (app) => app.use(bells, rooms, byRoom([]), counts([], 5)))
  const on = { database: test.app.database, runtime: place.runtime }
  const all = await admin.subscriptions(on)
  expect(all.map(({ name, keyVersion }) => [name, keyVersion])).toEqual([
    ['bells', 3],
    ['counts', 5],
    ['ear', 2],
    ['rooms', 4],
  ])
})

describe.each(kinds)('a projection whose key changes, on $name', ({ make }) => {
  it('does not start while an event waits under the old one', async () => {
    const place = make()
    const heard: string[] = []
    const one = await run(place, (app) => app.use(counts(heard, 1)))
    await one.app.append({ events: [1, 2].map((n) => Rung({ bell: `${n}`, room: 'r', n })) })
    await one.settle()
    await expect(run(place, (app) => app.use(counts(heard, 2)))).rejects.toMatchObject({
      code: 'STATE_INVALID',
    })
    const on = { database: one.app.database, runtime: place.runtime }
    const [letter] = await admin.deadLetters(on)
    await admin.discard(on, letter!.id, 'the key changes')
    const two = await run(place, (app) => app.use(counts(heard, 2)))
    await place.runtime.advance('3s')
    await two.app.append({ events: Rung({ bell: '2', room: 'r', n: 3 }) })
    await two.settle()
    expect(heard).toEqual(['1: 2', '2: 3'])
  })
})
