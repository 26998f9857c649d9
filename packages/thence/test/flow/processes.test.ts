// Several processes on one store: they share partitions, hand over when one leaves, hangs or dies, and whoever lost its
// lease commits nothing.
import type { Database } from 'thence'
import { event, handler, plain } from 'thence'
import { describe, expect, it } from 'vitest'
import { losable, silenced } from '../kit/faults.ts'
import type { Place } from '../kit/places.ts'
import { file, gate, look, run } from '../kit/places.ts'

const Rung = event('Rung', plain<{ bell: string; n: number }>())

/** What was done by whom, in order; and, in the store, how often each message was counted. */
interface Record {
  readonly by: string
  readonly bell: string
  readonly n: number
}

const ear = (
  by: string,
  heard: Record[],
  options: { readonly partitions?: number; readonly before?: () => Promise<void> } = {},
) =>
  handler('ear', Rung, {
    key: ({ data }) => data.bell,
    partitions: options.partitions ?? 8,
    run: async ({ data, id }, context) => {
      await options.before?.()
      heard.push({ by, ...data })
      context.within(async ({ documents }) => {
        const before = Number((await documents.get('counts', id)) ?? '0')
        await documents.put('counts', id, `${before + 1}`)
      })
    },
  })

const start = (
  place: Place,
  one: ReturnType<typeof ear>,
  around?: (database: Database) => Database,
) => run(place, (app) => app.use(one), around === undefined ? {} : { around })

const bells = (count: number, each: number) =>
  Array.from({ length: count * each }, (_, index) =>
    Rung({ bell: `bell ${index % count}`, n: Math.floor(index / count) }),
  )

const checkOnce = async (test: Awaited<ReturnType<typeof start>>, count: number): Promise<void> => {
  const counts = await look(test)(({ documents }) => documents.list('counts', { limit: 10_000 }))
  expect(counts.map(({ value }) => value)).toEqual(Array(count).fill('1'))
}

/** Each bell's numbers came in order; a number may have come again after a handover. */
const checkOrder = (heard: readonly Record[]): void => {
  const highest = new Map<string, number>()
  for (const { bell, n } of heard) {
    expect(n).toBeLessThanOrEqual((highest.get(bell) ?? -1) + 1)
    highest.set(bell, Math.max(n, highest.get(bell) ?? -1))
  }
}

describe('two processes on one file', () => {
  it('share the partitions, each message is handled by one, in order per key', async () => {
    const place = file.make()
    const heard: Record[] = []
    const one = await start(place, ear('one', heard))
    const two = await start(place, ear('two', heard))
    await place.runtime.advance('3s')
    await one.app.append({ events: bells(32, 5) })
    await one.settle()
    await two.settle()
    const by = (name: string): number => heard.filter((record) => record.by === name).length
    expect([by('one') > 0, by('two') > 0]).toEqual([true, true])
    expect(heard).toHaveLength(160)
    checkOrder(heard)
    await checkOnce(one, 160)
  })

  it('hand over within three seconds when one joins or leaves, while everything goes on', async () => {
    const place = file.make()
    const heard: Record[] = []
    const one = await start(place, ear('one', heard))
    const owners = async (test: typeof one) =>
      (await look(test)(({ leases }) => leases.list())).map(({ owner }) => owner)
    expect(new Set(await owners(one)).size).toBe(1)
    const two = await start(place, ear('two', heard))
    const before = place.runtime.now()
    while (new Set(await owners(one)).size < 2) await place.runtime.advance(100)
    expect(place.runtime.now() - before).toBeLessThanOrEqual(3000)
    await one.app.append({ events: bells(16, 3) })
    await one.stop()
    const left = place.runtime.now()
    await two.app.append({
      events: bells(16, 3).map(({ data }) => Rung({ ...data, n: data.n + 3 })),
    })
    await two.settle()
    expect(place.runtime.now() - left).toBeLessThanOrEqual(3000)
    expect(new Set(await owners(two)).size).toBe(1)
    checkOrder(heard)
    await checkOnce(two, 96)
  })

  it('take over from one that died when its time is over, and lose nothing', async () => {
    const place = file.make()
    const heard: Record[] = []
    let dead: (() => void) | undefined
    const one = await start(place, ear('one', heard), (database) => {
      const victim = losable(database)
      dead = () => victim.lose()
      return victim.database
    })
    const two = await start(place, ear('two', heard))
    await place.runtime.advance('3s')
    await two.app.append({ events: bells(16, 1) })
    await place.runtime.advance(0)
    dead?.()
    await two.app.append({ events: bells(16, 1).map(({ data }) => Rung({ ...data, n: 1 })) })
    const died = place.runtime.now()
    await two.settle()
    expect(place.runtime.now() - died).toBeLessThanOrEqual(7000)
    checkOrder(heard)
    await checkOnce(two, 32)
    await one.stop().catch(() => undefined)
  })

  it('fence one that wakes up after its lease was taken: it commits nothing', async () => {
    const place = file.make()
    const heard: Record[] = []
    const door = gate()
    let silent = false
    const slow = ear('one', heard, { partitions: 1, before: () => door.opened })
    const one = await start(place, slow, (database) => silenced(database, () => silent))
    await one.app.append({ events: bells(1, 3) })
    await place.runtime.advance(0)
    // It has the first message in hand when it is heard of for the last time.
    silent = true
    const two = await start(place, ear('two', heard, { partitions: 1 }))
    await two.settle()
    expect(heard.map(({ by }) => by)).toEqual(['two', 'two', 'two'])
    door.open()
    await place.runtime.advance('1s')
    // What it had in hand it did in vain: outside of the store that cannot be undone.
    expect(heard.length).toBeGreaterThan(3)
    expect(one.spy.signals.map(({ name }) => name)).toContain('lease-lost')
    await checkOnce(two, 3)
    silent = false
    await two.stop()
    await one.app.append({ events: Rung({ bell: 'bell 0', n: 3 }) })
    await one.settle()
    await checkOnce(one, 4)
  })

  it('fence one also for what it tries again', async () => {
    const place = file.make()
    const heard: Record[] = []
    const door = gate()
    let [silent, failures] = [false, 0]
    const clumsy = ear('one', heard, {
      partitions: 1,
      before: async () => {
        failures += 1
        if (failures === 1) throw new Error('the first time')
        await door.opened
      },
    })
    const one = await start(place, clumsy, (database) => silenced(database, () => silent))
    await one.app.append({ events: bells(1, 1) })
    await place.runtime.advance('1s')
    expect(failures).toBe(2)
    silent = true
    const two = await start(place, ear('two', heard, { partitions: 1 }))
    await two.settle()
    door.open()
    await place.runtime.advance('1s')
    await checkOnce(two, 1)
    expect(one.spy.signals.map(({ name }) => name)).toContain('lease-lost')
  })
})

describe('the number of partitions', () => {
  it('may change at any start: nothing is lost, nothing is done twice', async () => {
    const place = file.make()
    const heard: Record[] = []
    let total = 0
    for (const partitions of [1, 4, 16, 3, 1]) {
      const test = await start(place, ear('one', heard, { partitions }))
      await test.app.append({
        events: bells(16, 1).map(({ data }) => Rung({ ...data, n: total / 16 })),
      })
      total += 16
      // It stops in the middle: some partitions are further than others.
      await place.runtime.advance(0)
      await test.stop()
    }
    const last = await start(place, ear('last', heard, { partitions: 5 }))
    await last.settle()
    checkOrder(heard)
    await checkOnce(last, total)
    expect(heard).toHaveLength(total)
  })

  it('may change while another process runs: that one obeys', async () => {
    const place = file.make()
    const heard: Record[] = []
    const old = await start(place, ear('old', heard, { partitions: 1 }))
    await old.app.append({ events: bells(16, 2) })
    const young = await start(place, ear('young', heard, { partitions: 4 }))
    await young.app.append({
      events: bells(16, 2).map(({ data }) => Rung({ ...data, n: data.n + 2 })),
    })
    await place.runtime.advance('3s')
    await young.app.append({
      events: bells(16, 2).map(({ data }) => Rung({ ...data, n: data.n + 4 })),
    })
    await young.settle()
    await old.settle()
    expect(new Set(heard.slice(-32).map(({ by }) => by))).toEqual(new Set(['old', 'young']))
    checkOrder(heard)
    await checkOnce(young, 96)
  })
})
