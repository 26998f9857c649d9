// The one clock of timers: what is due fires once, in bounded batches, by the database's clock; what can't be fired is
// kept with its why and holds up nothing else.
import type { App, Database } from 'thence'
import { documents, event, plain, projection } from 'thence'
import { memory, memoryStore } from 'thence/memory'
import { testApp, virtualRuntime } from 'thence/testing'
import { describe, expect, it } from 'vitest'
import { message } from '../../src/conformance/samples.ts'
import type { NewTimer } from '../../src/ports/timers.ts'
import { all, kinds, look, run } from '../kit/places.ts'
import { skewed } from '../kit/skew.ts'

const Rung = event('Rung', plain<{ readonly n: number }>())

const bell = (id: string, due: number, change: Partial<NewTimer> = {}): NewTimer => ({
  id,
  owner: 'bells',
  due,
  stream: 'bells',
  message: message(`rung by ${id}`, { type: 'Rung', data: '{"n":1}' }),
  ...change,
})

const set = (database: Database, ...timers: readonly NewTimer[]): Promise<void> =>
  database.transact(async ({ timers: rows }) => {
    for (const one of timers) await rows.set(one)
  })

const rung = async (app: Pick<App, 'stream'>): Promise<readonly string[]> =>
  (await all(app.stream('bells'))).map(({ id }) => id)

describe.each(kinds)('a timer that cannot be fired, on $name', ({ make }) => {
  it('is given up with its error, is told, and holds up no other', async () => {
    const test = await run(make(), (app) => app.messages(Rung))
    const { app, runtime, spy } = test
    await app.append({ stream: 'elsewhere', events: Rung({ n: 7 }, { id: 'rung by bad' }) })
    const now = runtime.now()
    await set(app.database, bell('a', now + 10), bell('bad', now + 10), bell('c', now + 20))
    await test.advance('5s')
    expect(await rung(app)).toEqual(['rung by a', 'rung by c'])
    expect(await spy.signal('timer-parked')).toMatchObject({ id: 'bad', attempts: 1 })
    const left = await look(test)(({ timers }) => timers.upcoming({ limit: 9 }))
    expect(left).toMatchObject([{ id: 'bad', next: 0, due: now + 10, attempts: 1 }])
    expect(left[0]?.error).toContain('rung by bad')
    await app.database.transact(({ timers }) =>
      timers.set(
        bell('bad', now, {
          stream: 'elsewhere',
          message: message('x', { type: 'Rung', data: '{"n":2}' }),
        }),
      ),
    )
    await test.advance('2s')
    expect(await look(test)(({ timers }) => timers.failed())).toBe(0)
    expect((await all(app.stream('elsewhere'))).map(({ id }) => id)).toEqual(['rung by bad', 'x'])
  })

  it('is tried again after a pause as long as that may help', async () => {
    let broken = true
    const view = projection('tower', {
      view: documents<number>(),
      inline: true,
      on: (on) =>
        on(Rung, async ({ data }, rows) => {
          if (broken) throw new Error('the rope is off')
          await rows.update('all', (sum = 0) => sum + data.n)
        }),
    })
    const test = await run(make(), (app) => app.use(view))
    const { app, runtime, spy } = test
    await set(app.database, bell('a', runtime.now() + 10))
    const failed = await spy.signal('timer-failed', ({ attempts }) => attempts === 3)
    expect(failed.retryIn).toBeGreaterThan(0)
    broken = false
    await spy.message(Rung)
    expect(await rung(app)).toEqual(['rung by a'])
    expect(
      await look(test)(({ documents: rows }) => rows.list('tower', { limit: 9 })),
    ).toMatchObject([{ key: 'all', value: '1' }])
  })

  it('is kept with its error too if what it meets hangs, and holds up no other', async () => {
    const view = projection('tower', {
      inline: true,
      view: documents<number>(),
      on: (on) =>
        on(Rung, async ({ id }, rows) => {
          if (id === 'rung by bad') await new Promise(() => undefined)
          await rows.put(id, 1)
        }),
    })
    const test = await run(make(), (app) => app.use(view))
    const { app, runtime, spy } = test
    const now = runtime.now()
    await set(app.database, bell('a', now + 10), bell('bad', now + 10), bell('c', now + 20))
    const failed = spy.signal('timer-failed')
    await test.advance('2m')
    expect(await rung(app)).toEqual(['rung by a', 'rung by c'])
    expect(await failed).toMatchObject({ id: 'bad', attempts: 1 })
    const [left] = await look(test)(({ timers }) => timers.upcoming({ limit: 9 }))
    expect(left).toMatchObject({ id: 'bad' })
    expect(left?.error).toContain('rolled back')
  })

  it('is kept when all its attempts are used up', async () => {
    const view = projection('tower', {
      view: documents<number>(),
      inline: true,
      on: (on) =>
        on(Rung, () => {
          throw new Error('the rope is off')
        }),
    })
    const test = await run(make(), (app) => app.use(view))
    await set(test.app.database, bell('a', test.runtime.now() + 10))
    const failed = await test.spy.signal('timer-parked')
    expect(failed.attempts).toBe(10)
    expect(await look(test)(({ timers }) => timers.find('a'))).toMatchObject({
      next: 0,
      attempts: 10,
      error: 'Error: the rope is off',
    })
  })
})

describe.each(kinds)('what is due, on $name', ({ make }) => {
  it('fires in batches, in order, whatever there is', async () => {
    const place = make()
    const test = await run(place, (app) => app.messages(Rung))
    const { app, runtime } = test
    const now = runtime.now()
    const ids = Array.from({ length: 450 }, (_, n) => `t${String(n).padStart(3, '0')}`)
    await set(app.database, ...ids.map((id, n) => bell(id, now - 450 + n)))
    await test.advance('1s')
    expect(await rung(app)).toEqual(ids.map((id) => `rung by ${id}`))
    const late: number[] = []
    app.listen(['timer-fired'], (signal) => void late.push(signal.late))
    await set(app.database, bell('later', runtime.now() - 40))
    await test.advance('1s')
    expect(late).toHaveLength(1)
    expect(late[0]).toBeGreaterThanOrEqual(40)
    expect(late[0]).toBeLessThanOrEqual(1040)
  })

  it('changes nothing when its message is in the log already', async () => {
    const view = projection('tower', {
      view: documents<number>(),
      inline: true,
      on: (on) => on(Rung, ({ data }, rows) => rows.update('all', (sum = 0) => sum + data.n)),
    })
    const test = await run(make(), (app) => app.use(view))
    const { app, runtime } = test
    await app.append({ stream: 'bells', events: Rung({ n: 1 }, { id: 'rung by a' }) })
    await set(app.database, bell('a', runtime.now()))
    await test.advance('2s')
    expect(await look(test)(({ timers }) => timers.find('a'))).toBeUndefined()
    expect(await look(test)(({ documents: rows }) => rows.get('tower', 'all'))).toBe('1')
  })
})

it('the database decides what is due, whatever the clocks of the processes say', async () => {
  const clock = virtualRuntime()
  const store = memoryStore({ clock })
  const apart = (hours: number) =>
    testApp((app) => app.messages(Rung), {
      database: memory({ store }),
      runtime: skewed(clock, () => hours * 3_600_000),
    })
  await using ahead = await apart(1)
  await using behind = await apart(-1)
  const due = clock.now() + 60_000
  await set(ahead.app.database, bell('a', due))
  await clock.advance('59s')
  expect(await rung(ahead.app)).toEqual([])
  await clock.advance('2s')
  const [fired, ...more] = await all(behind.app.stream('bells'))
  expect(more).toEqual([])
  expect(fired?.time).toBeGreaterThanOrEqual(due)
  expect(fired?.time).toBeLessThan(due + 1000)
})
