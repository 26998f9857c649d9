// What processes tell of themselves in the store, what others make of it, and how far their subscriptions are behind.
import { event, handler, plain } from 'thence'
import { metrics, status } from 'thence/admin'
import { describe, expect, it } from 'vitest'
import { losable, readings } from '../kit/faults.ts'
import { gate, kinds, run } from '../kit/places.ts'

const Rung = event('Rung', plain<{ bell: string }>())
const Seen = event('Seen', plain<{ n: number }>())

const ear = handler('ear', Rung, {
  key: ({ data }) => data.bell,
  partitions: 4,
  run: () => undefined,
})

const rings = (count: number) =>
  Array.from({ length: count }, (_, at) => Rung({ bell: `bell ${at}` }))

describe.each(kinds)('the figures of processes on $name', ({ make }) => {
  it('are in the store within a second, and those of all processes add up', async () => {
    const place = make()
    const first = await run(place, (app) => app.use(ear))
    const second = await run(place, (app) => app.use(ear))
    await first.app.append({ events: rings(20) })
    await second.app.append({ events: rings(10) })
    await first.settle()
    await first.runtime.advance('10s')
    const { database } = first.app
    const { processes, recent } = await metrics({ database, runtime: place.runtime })
    expect(processes).toHaveLength(2)
    expect(processes.every(({ alive }) => alive)).toBe(true)
    expect(processes.reduce((sum, { partitions }) => sum + partitions, 0)).toBe(4)
    expect(processes.map(({ appended }) => appended).toSorted((a, b) => a - b)).toEqual([10, 20])
    expect(recent.appends.messages).toBe(30)
    expect(recent.messages).toMatchObject([
      { subscription: 'ear', type: 'Rung', handled: 30, latency: { count: 30 } },
    ])
    expect(JSON.parse(JSON.stringify(recent))).toEqual(recent)
  })

  it('go with a process that stops, and with one that is gone once another notices', async () => {
    const place = make()
    const stopped = await run(place, (app) => app.use(ear))
    let lose = (): void => undefined
    const lost = await run(place, (app) => app.use(ear), {
      around: (one) => {
        const { database, ...losing } = losable(one)
        lose = () => losing.lose()
        return database
      },
    })
    const left = await run(place, (app) => app.use(ear))
    await left.runtime.advance('2s')
    const { database } = left.app
    const alive = async () => (await metrics({ database })).processes.map((one) => one.alive)
    expect(await alive()).toEqual([true, true, true])
    await stopped.stop()
    expect(await alive()).toEqual([true, true])
    lose()
    await lost.runtime.advance('20s')
    expect(await alive()).toEqual([true])
  })

  it('tell a process that ended without a word, and that none runs', async () => {
    const place = make()
    const around = losable(place.open())
    const test = await run(place, (app) => app.use(ear), { around: () => around.database })
    await test.runtime.advance('2s')
    around.lose()
    const database = place.open()
    await database.open(place.runtime)
    // So long others would take it for paused.
    await place.runtime.advance('10s')
    const found = await status({ database, runtime: place.runtime })
    expect(found.processes).toMatchObject([{ alive: false, partitions: 0, started: null }])
    expect(found.attention).toMatchObject([{ name: 'process', since: found.processes[0]?.seen }])
    await database.close()
  })
})

describe.each(kinds)('how far subscriptions are behind on $name', ({ make }) => {
  it('is told in messages and in time, and is nothing once they have caught up', async () => {
    const slow = gate()
    // The first is set aside; the others wait for the only place.
    const deaf = handler('deaf', Rung, {
      key: ({ id }) => id,
      concurrency: 1,
      run: () => slow.opened,
    })
    const test = await run(make(), (app) => app.use(deaf).handle('eye', Seen, () => undefined))
    await test.app.append({ events: rings(3) })
    await test.app.append({ events: Seen({ n: 1 }) })
    await test.runtime.advance('8s')
    const lags = () => test.app.metrics().lags
    expect(lags()).toMatchObject([
      { subscription: 'deaf', position: 1, behind: 3, due: 1 },
      { subscription: 'eye', behind: 0, behindMs: 0 },
    ])
    // It looks every five seconds, and it is eight since.
    expect(lags()[0]?.behindMs).toBe(6000)
    slow.open()
    await test.settle()
    await test.runtime.advance('5s')
    expect(lags()).toMatchObject([
      { behind: 0, behindMs: 0 },
      { behind: 0, behindMs: 0 },
    ])
  })

  it('begins at the first message that waits, whatever of others stands before it', async () => {
    const slow = gate()
    const deaf = handler('deaf', Rung, { run: () => slow.opened })
    const test = await run(make(), (app) => app.use(deaf).messages(Seen))
    const others = [1, 2, 3].map((n) => Seen({ n }))
    await test.app.append({ events: [...others, ...rings(1), Seen({ n: 4 })] })
    await test.runtime.advance('2s')
    expect(test.app.metrics().lags).toMatchObject([
      { subscription: 'deaf', position: 0, behind: 2 },
    ])
    slow.open()
    await test.settle()
  })

  it('counts what is tried again apart from what waits for a person', async () => {
    const deaf = handler('deaf', Rung, {
      key: ({ data }) => data.bell,
      retry: { attempts: 2, base: 3_600_000, cap: 3_600_000 },
      run: () => Promise.reject(new Error('deaf')),
    })
    const test = await run(make(), (app) => app.use(deaf))
    await test.app.append({ events: [...rings(3), ...rings(1)] })
    await test.runtime.advance('2s')
    expect(test.app.metrics().lags).toMatchObject([
      { subscription: 'deaf', behind: 0, behindMs: 0, due: 3, parked: 0, queued: 1 },
    ])
  })

  it('counts what failed and what waits behind it', async () => {
    const deaf = handler('deaf', Rung, {
      key: ({ data }) => data.bell,
      retry: { attempts: 1 },
      run: () => Promise.reject(new Error('deaf')),
    })
    const test = await run(make(), (app) => app.use(deaf))
    await test.app.append({ events: [...rings(2), ...rings(2)] })
    await test.settle()
    await test.runtime.advance('6s')
    expect(test.app.metrics().lags).toMatchObject([
      { subscription: 'deaf', behind: 0, due: 0, parked: 2, queued: 2 },
    ])
  })
})

describe.each(kinds)('how large the store is on $name', ({ make }) => {
  it('is told by category, and looked at once a minute, however often one asks', async () => {
    const place = make()
    let looks = 0
    const test = await run(place, (app) => app.use(ear).handle('eye', Seen, () => undefined), {
      around: (one) => readings(one, 'sizes', () => void (looks += 1)),
    })
    const sizes = () => test.app.metrics().sizes
    expect(sizes()).toBeNull()
    await test.app.append({ stream: 'bells-1', events: rings(20) })
    await test.app.append({ stream: 'eyes-1', events: Seen({ n: 1 }) })
    await test.runtime.advance('2s')
    const [bells, eyes] = sizes()!.categories
    expect(bells).toMatchObject({ category: 'bells', messages: 20, streams: 1, removed: 0 })
    expect(eyes).toMatchObject({ category: 'eyes', messages: 1 })
    expect(bells!.bytes).toBeGreaterThan(eyes!.bytes)
    expect(sizes()!.tables.retries).toEqual({ rows: 0, more: false })
    const first = sizes()!.time
    await test.app.append({ stream: 'bells-2', events: rings(5) })
    await test.runtime.advance('50s')
    for (let asked = 0; asked < 100; asked += 1) expect(sizes()!.time).toBe(first)
    expect(looks).toBe(1)
    await test.runtime.advance('15s')
    expect(sizes()!.categories[0]).toMatchObject({ messages: 25, streams: 2 })
    expect(sizes()!.time - first).toBe(60_000)
    await test.runtime.advance('10m')
    expect(looks).toBe(12)
    expect(JSON.parse(JSON.stringify(sizes()))).toEqual(sizes())
  })
})

it('a process that holds its event loop is told', async () => {
  const test = await run((kinds[0] as (typeof kinds)[number]).make(), (app) => app.use(ear))
  await test.runtime.advance('3s')
  expect(test.app.metrics().total.process.delay).toMatchObject({ count: 3, max: 0 })
  await test.runtime.jump('4s')
  expect(test.app.metrics().total.process.delay).toMatchObject({ count: 4, max: 3000 })
})
