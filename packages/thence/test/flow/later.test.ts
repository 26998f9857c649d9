// Commands for later: kept once, recorded when they are due, whoever runs then; nothing invalid is kept.
import type { App, When } from 'thence'
import { aggregate, command, event, handler, plain } from 'thence'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { faulty, losable } from '../kit/faults.ts'
import type { Place } from '../kit/places.ts'
import { all, kinds, look, run } from '../kit/places.ts'

const Ring = command('Ring', z.object({ n: z.number().positive() }))
const Add = command('Add', plain<{ readonly n: number }>())
const Added = event('Added', plain<{ readonly n: number }>())
const Asked = event('Asked', plain<{ readonly n: number }>())

const counter = aggregate('counter', {
  initial: () => ({ sum: 0 }),
  evolve: (on) => on(Added, ({ sum }, { data }) => ({ sum: sum + data.n })),
  decide: (on) => on(Add, (_, { data }) => Added(data)),
  stream: () => 'one',
})

/** An app whose handler keeps what it was asked for, and how it was. */
const open = async (place: Place, around?: Parameters<typeof run>[2]) => {
  const rung: { readonly n: number; readonly at: number; readonly id: string }[] = []
  const bell = handler(
    'bell',
    Ring,
    ({ data, time, id }) => void rung.push({ ...data, at: time, id }),
  )
  const test = await run(place, (one) => one.use(counter, bell), around)
  return { ...test, rung }
}

const waiting = (test: Parameters<typeof look>[0]) =>
  look(test)(({ timers }) => timers.upcoming({ limit: 99 }))

const recorded = async (app: Pick<App, 'log'>): Promise<readonly string[]> =>
  (await all(app.log())).map(({ type }) => type)

describe.each(kinds)('a command for later, on $name', ({ make }) => {
  it('is recorded when its time has come, and not before', async () => {
    const test = await open(make())
    const { app, runtime, rung } = test
    const now = runtime.now()
    const minute = 60_000
    const due = [
      await app.send(Ring({ n: 1 }), { in: '1m' }),
      await app.send(Ring({ n: 2 }), { at: now + 2 * minute }),
      await app.send(Ring({ n: 3 }), { at: new Date(now + 3 * minute) }),
      await app.send(Ring({ n: 4 }), { at: new Date(now + 4 * minute).toISOString() }),
      await app.send(Ring({ n: 5 }), { at: 0 }),
    ]
    expect(due.map((one) => one.due)).toEqual([...[1, 2, 3, 4].map((n) => now + n * minute), 0])
    expect(due.every(({ id, duplicate }) => id.startsWith('send:') && !duplicate)).toBe(true)
    await test.advance('59s')
    expect(rung.map(({ n }) => n)).toEqual([5])
    await test.advance('4m')
    expect(rung.map(({ n }) => n)).toEqual([5, 1, 2, 3, 4])
    for (const { n, at } of rung.slice(1)) {
      expect(at).toBeGreaterThanOrEqual(now + n * minute)
      expect(at).toBeLessThanOrEqual(now + n * minute + 1000)
    }
    expect(await waiting(test)).toEqual([])
  })

  it('is decided by its aggregate, and survives the end of the app', async () => {
    const place = make()
    const first = await open(place)
    await first.app.send(Add({ n: 2 }), { in: '1d' })
    await first.stop()
    await place.runtime.jump('2d')
    const second = await open(place)
    await second.settle()
    await second.spy.message(Added)
    expect(await recorded(second.app)).toEqual(['Add', 'Added'])
  })

  it('is not kept if it could not be recorded', async () => {
    const test = await open(make())
    const { app } = test
    const Unknown = command('Unknown', plain<object>())
    const refused = async (message: Parameters<typeof app.send>[0], when: unknown) =>
      app.send(message, when as When).then(
        () => 'kept',
        (error: unknown) => (error as { code?: unknown }).code,
      )
    expect(await refused(Ring({ n: -1 }), { in: '1m' })).toBe('SCHEMA_INVALID')
    expect(await refused(Ring({ n: 1 }, { id: '' }), { in: '1m' })).toBe('NAME_INVALID')
    expect(await refused(Unknown({}) as never, { in: '1m' })).toBe('MESSAGE_UNKNOWN')
    expect(await refused(Added({ n: 1 }) as never, { in: '1m' })).toBe('CONFIG_INVALID')
    for (const when of [{}, { at: 'soon' }, { in: -1 }, null, 'now'])
      expect(await refused(Ring({ n: 1 }), when)).toBe('CONFIG_INVALID')
    expect(await waiting(test)).toEqual([])
  })
})

describe.each(kinds)('a command for later with an id of its own, on $name', ({ make }) => {
  const one = Ring({ n: 1 }, { id: 'mine' })

  it('is kept once, while it waits and after it was recorded', async () => {
    const test = await open(make())
    const { app, rung } = test
    const first = await app.send(one, { in: '1m' })
    await test.advance('10s')
    const again = await app.send(one, { in: '1m' })
    expect(again).toEqual({ ...first, duplicate: true })
    await test.advance('2m')
    expect(rung.map(({ id }) => id)).toEqual(['mine'])
    const late = await app.send(one, { in: '1m' })
    expect(late).toEqual({ id: 'send:mine', due: rung[0]?.at, duplicate: true })
    await test.advance('2m')
    expect(rung).toHaveLength(1)
    expect(await waiting(test)).toEqual([])
  })

  it('is refused if the id means another command, waiting or recorded', async () => {
    const test = await open(make())
    const { app } = test
    const reused = { code: 'MESSAGE_ID_REUSED' }
    const other = () => app.send(Ring({ n: 2 }, { id: 'mine' }), { in: '1h' })
    await app.send(one, { in: '1m' })
    await expect(other()).rejects.toMatchObject(reused)
    await test.advance('2m')
    await expect(other()).rejects.toMatchObject(reused)
  })

  it('has no effect beside the same command sent at once, in whichever order they come', async () => {
    const test = await open(make())
    const { app, rung } = test
    await app.send(one, { in: '1m' })
    await app.send(one)
    const add = Add({ n: 2 }, { id: 'sum' })
    const late = Add({ n: 3 }, { id: 'late' })
    await app.send(add)
    expect(await app.send(add, { in: '1m' })).toMatchObject({ duplicate: true })
    await app.send(late, { in: '1m' })
    await test.advance('2m')
    expect(await app.send(late)).toMatchObject({ duplicate: true })
    expect(rung).toHaveLength(1)
    const sums = (await all(app.stream('counter-one'))).map(({ data }) => (data as { n: number }).n)
    expect(sums).toEqual([2, 3])
  })

  it('is kept once and is nobody else’s when the answer is lost', async () => {
    for (const when of ['after the commit', 'instead of the commit'] as const) {
      let losing = 0
      const chosen = () => (losing-- > 0 ? when : undefined)
      const place = make()
      const test = await open(place, { around: (inner) => faulty(inner, chosen).database })
      const { app, runtime, rung } = test
      losing = 2
      const sent = await runtime.until(app.send(Ring({ n: 1 }), { in: '1m' }))
      expect(sent.duplicate, when).toBe(false)
      expect(await waiting(test)).toHaveLength(1)
      await test.advance('2m')
      expect(rung).toHaveLength(1)
      await test.stop()
    }
  })
})

describe.each(kinds)('what a handler sends for later, on $name', ({ make }) => {
  const asking = (fails: () => boolean) =>
    handler('asking', Asked, {
      retry: { attempts: 2, base: 0 },
      run: ({ data }, { later }) => {
        later({ in: '1m' }, Ring(data), Ring({ n: data.n + 10 }))
        if (fails()) throw new Error('after all')
      },
    })

  const start = async (place: Place, fails: () => boolean = () => false) => {
    const rung: { readonly n: number; readonly cause: unknown; readonly story: unknown }[] = []
    const bell = handler('bell', Ring, ({ data, metadata }) => {
      rung.push({ ...data, cause: metadata.causationId, story: metadata.correlationId })
    })
    const test = await run(place, (app) => app.use(asking(fails), bell))
    return { ...test, rung }
  }

  it('commits with its checkpoint, and tells what led to it', async () => {
    const { app, rung, ...test } = await start(make())
    const { events } = await app.append({ events: Asked({ n: 1 }) })
    await test.settle()
    expect(rung).toEqual([])
    await test.advance('2m')
    const id = events[0]?.id
    expect(rung).toEqual([1, 11].map((n) => ({ n, cause: id, story: id })))
  })

  it('does not happen if it fails', async () => {
    const test = await start(make(), () => true)
    await test.app.append({ events: Asked({ n: 1 }) })
    await test.settle()
    expect(await waiting(test)).toEqual([])
  })

  it('is kept once when the process dies after any write', async () => {
    for (let n = 1; n < 12; n += 1) {
      const place = make()
      const killed = await run(
        place,
        (app) => app.use(asking(() => false)).handle('bell', Ring, () => undefined),
        {
          around: (inner) => {
            const mortal = losable(inner)
            let writes = 0
            const count = faulty(mortal.database, () => {
              writes += 1
              if (writes > n) mortal.lose()
              return undefined
            })
            return count.database
          },
        },
      ).catch(() => undefined)
      const sent = killed?.app.append({ events: Asked({ n: 1 }, { id: 'asked' }) })
      await sent?.catch(() => undefined)
      await killed?.runtime.advance('1s')
      const { app, rung, ...test } = await start(place)
      await app.append({ events: Asked({ n: 1 }, { id: 'asked' }) })
      await test.settle()
      await test.advance('2m')
      expect(
        rung.map((one) => one.n),
        `killed after ${n} writes`,
      ).toEqual([1, 11])
      await test.stop()
    }
  })
})
