// The end of a process: what it has in hand stays its own until it is done or given back, and the deadline holds for all.
import { documents, event, handler, plain, projection, tables } from 'thence'
import { describe, expect, it } from 'vitest'
import type { Place } from '../kit/places.ts'
import { file, look, run } from '../kit/places.ts'

const Rung = event('Rung', plain<{ bell: string; takes: number }>())

/** Takes as long as the message says, and counts in the store what it has done. */
const ear = (place: Place, by: string, begun: string[]) =>
  handler('ear', Rung, {
    key: ({ data }) => data.bell,
    partitions: 8,
    timeout: '10m',
    run: async ({ data, id }, { signal, within }) => {
      begun.push(`${by}: ${data.bell}`)
      if (data.takes > 0)
        await new Promise<void>((resolve) => {
          place.runtime.after(data.takes, resolve)
          signal.addEventListener('abort', () => resolve())
        })
      signal.throwIfAborted()
      within(({ documents }) => documents.put('done', `${id}`, by))
    },
  })

const ring = (count: number, takes: number) =>
  Array.from({ length: count }, (_, n) => Rung({ bell: `bell ${n}`, takes }))

const doneBy = async (test: Awaited<ReturnType<typeof run>>): Promise<readonly string[]> => {
  const done = await look(test)(({ documents }) => documents.list('done', { limit: 1000 }))
  return done.map(({ value }) => value)
}

describe('a process that is stopped', () => {
  it('keeps what it has in hand, however much longer that takes than its lease', async () => {
    const place = file.make()
    const begun: string[] = []
    const one = await run(place, (app) => app.use(ear(place, 'one', begun)))
    await one.app.append({ events: ring(8, 9000) })
    await place.runtime.advance(100)
    const two = await run(place, (app) => app.use(ear(place, 'two', begun)))
    const stopped = one.app.stop({ deadline: '10s' })
    await place.runtime.advance('9s')
    await place.runtime.until(stopped)
    await two.settle()
    expect(begun.filter((one) => one.startsWith('two'))).toEqual([])
    expect(await doneBy(two)).toEqual(Array(8).fill('one'))
  })

  it('gives each partition back as soon as nothing of it is in hand', async () => {
    const place = file.make()
    const begun: string[] = []
    const one = await run(place, (app) => app.use(ear(place, 'one', begun)))
    await one.app.append({ events: Rung({ bell: 'slow', takes: 9000 }) })
    await place.runtime.advance(100)
    const two = await run(place, (app) => app.use(ear(place, 'two', begun)))
    const stopped = one.app.stop({ deadline: '10s' })
    await place.runtime.advance('3s')
    const leases = await look(two)((transaction) => transaction.leases.list())
    const held = [...Map.groupBy(leases, ({ owner }) => owner).values()]
    expect(new Set(held.map(({ length }) => length))).toEqual(new Set([1, 7]))
    await two.app.append({ events: ring(16, 0) })
    await place.runtime.advance(500)
    expect((await doneBy(two)).length).toBeGreaterThan(8)
    await place.runtime.until(stopped)
    await two.settle()
    expect(await doneBy(two)).toHaveLength(17)
  })

  it('ends waits for what will not happen, at once', async () => {
    const place = file.make()
    const view = projection('view', {
      view: documents<{ n: number }>(),
      on: (on) => on(Rung, ({ data }, rows) => rows.put(data.bell, { n: data.takes })),
    })
    const one = await run(place, (app) => app.use(view))
    await one.app.pause('view')
    const { token } = await one.app.append({ events: ring(1, 0) })
    const waits = one.app.until(token, { projection: 'view', timeout: '1h' })
    const told = waits.catch((error: unknown) => error)
    const before = place.runtime.now()
    await place.runtime.until(one.app.stop({ deadline: '10s' }))
    expect(place.runtime.now() - before).toBeLessThan(1000)
    expect(await told).toMatchObject({ code: 'APP_STOPPED' })
  })

  it('says so to whoever waits for a replay', async () => {
    const place = file.make()
    const slow = handler('slow', Rung, {
      replay: 'idempotent',
      run: () => new Promise<void>((resolve) => void place.runtime.after(50, resolve)),
    })
    const one = await run(place, (app) => app.use(slow))
    await one.app.append({ events: ring(50, 0) })
    await one.settle()
    const replay = one.app.replay('slow')
    const told = replay.catch((error: unknown) => error)
    await place.runtime.advance(200)
    await place.runtime.until(one.app.stop())
    await place.runtime.advance(200)
    expect(await told).toMatchObject({ code: 'APP_STOPPED' })
  })

  it('is stopped by its deadline also while it hands over', async () => {
    const place = file.make()
    const begun: string[] = []
    const one = await run(place, (app) => app.use(ear(place, 'one', begun)))
    await one.app.append({ events: ring(16, 300_000) })
    await place.runtime.advance(500)
    await run(place, (app) => app.use(ear(place, 'two', begun)))
    await place.runtime.advance('3s')
    const before = place.runtime.now()
    await place.runtime.until(one.app.stop({ deadline: '1s' }))
    expect(place.runtime.now() - before).toBeLessThanOrEqual(1100)
  })
})

describe('a rebuild that cannot be begun', () => {
  it('says why, and takes nothing else of the process along', async () => {
    const place = file.make()
    let broken = false
    const view = projection('view', {
      view: tables({
        create: (table) =>
          broken
            ? ['CREATE TABLE nonsense (']
            : [`CREATE TABLE ${table('bells')} (bell TEXT PRIMARY KEY)`],
        drop: (table) => [`DROP TABLE IF EXISTS ${table('bells')}`],
      }),
      on: (on) => on(Rung, () => undefined),
    })
    const begun: string[] = []
    const one = await run(place, (app) => app.use(view, ear(place, 'one', begun)))
    broken = true
    const rebuild = one.app.rebuild('view')
    const told = rebuild.catch((error: unknown) => error)
    await place.runtime.advance('30s')
    expect(await told).toMatchObject({ code: 'STATE_INVALID' })
    expect(await look(one)(({ leases }) => leases.members())).toHaveLength(1)
    const failed = one.spy.signals.filter(({ name }) => name === 'upkeep-failed')
    expect(failed.length).toBeGreaterThan(0)
    expect(failed.length).toBeLessThan(10)
    broken = false
    await place.runtime.advance('2s')
    await one.settle()
    const views = await look(one)(({ documents: all }) => all.get('$views', 'view'))
    expect(JSON.parse(views ?? '{}')).toMatchObject({ serving: 2 })
  })
})
