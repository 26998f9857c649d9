// Commands: decided on what is, again after a conflict, once per id, and the same with a snapshot or without.
import * as fc from 'fast-check'
import type { Database, SnapshotOptions } from 'thence'
import { aggregate, command, event, plain, reject } from 'thence'
import { describe, expect, it } from 'vitest'
import { faulty } from '../kit/faults.ts'
import type { Place } from '../kit/places.ts'
import { all, file, kinds, look, run, wrap } from '../kit/places.ts'

const Count = command('Count', plain<{ id: string; by: number }>())
const Nudge = command('Nudge', plain<{ id: string }>())
const Refuse = command('Refuse', plain<{ id: string }>())
const Counted = event('Counted', plain<{ by: number; total: number }>())

/** Every event says what the total was when it was decided, so a decision on a stale state shows. */
const counter = (snapshot?: SnapshotOptions, decided: string[] = []) =>
  aggregate('counter', {
    initial: () => ({ total: 0 }),
    evolve: (on) => on(Counted, (_, { data }) => ({ total: data.total })),
    decide: (on) =>
      on(Count, ({ total }, { id, data }) => {
        decided.push(id)
        if (data.by === 0) return []
        const step = Math.sign(data.by)
        return Array.from({ length: Math.abs(data.by) }, (_, n) =>
          Counted({ by: step, total: total + step * (n + 1) }),
        )
      })
        .on(Nudge, () => [])
        .on(Refuse, ({ total }, { id }) => {
          decided.push(id)
          throw reject('TOO_MUCH', `The total is ${total} already.`)
        }),
    stream: ({ data }) => data.id,
    ...(snapshot === undefined ? {} : { snapshot }),
  })

const start = (
  place: Place,
  options: {
    snapshot?: SnapshotOptions
    decided?: string[]
    around?: (one: Database) => Database
  } = {},
) => {
  const { snapshot, decided, around } = options
  const part = counter(snapshot, decided)
  return run(place, (app) => app.use(part), around === undefined ? {} : { around })
}

const totals = async (test: Awaited<ReturnType<typeof start>>, id = 'a'): Promise<number[]> =>
  (await all(test.app.stream(`counter-${id}`))).map(({ data }) => (data as { total: number }).total)

const upTo = (count: number): number[] => Array.from({ length: count }, (_, n) => n + 1)

describe.each(kinds)('commands on $name', ({ make }) => {
  it('of 32 senders on one stream are all decided, each on what the others did', async () => {
    const test = await start(make())
    const sends = Array.from({ length: 32 }, () => test.app.send(Count({ id: 'a', by: 1 })))
    const results = await test.runtime.until(Promise.all(sends))
    expect(await totals(test)).toEqual(upTo(32))
    expect(results.map(({ version }) => version).toSorted((a, b) => a - b)).toEqual(upTo(32))
  })

  it('of two apps on one stream are decided on what the other did', async () => {
    const place = make()
    const [one, two] = [await start(place), await start(place)]
    const sends = Array.from({ length: 16 }, (_, n) =>
      (n % 2 === 0 ? one : two).app.send(Count({ id: 'a', by: 2 })),
    )
    const results = await place.runtime.until(Promise.allSettled(sends))
    const done = results.filter(({ status }) => status === 'fulfilled')
    expect(await totals(one)).toEqual(upTo(done.length * 2))
  })

  it('are given back to the sender after ten conflicts', async () => {
    const decided: string[] = []
    let conflicts = true
    const around = (one: Database): Database =>
      wrap(one, {
        append: async (requests) =>
          conflicts
            ? requests.map(() => ({ outcome: 'conflict', actual: 7 }))
            : one.append(requests),
      })
    const test = await start(make(), { decided, around })
    const sent = test.app.send(Count({ id: 'a', by: 1 }))
    await expect(test.runtime.until(sent)).rejects.toMatchObject({
      code: 'VERSION_CONFLICT',
      retryable: true,
      details: { stream: 'counter-a', actual: 7 },
    })
    expect(decided).toHaveLength(10)
    conflicts = false
    expect((await test.app.send(Count({ id: 'a', by: 1 }))).version).toBe(1)
  })

  it('that are rejected are decided once and write nothing', async () => {
    const decided: string[] = []
    const test = await start(make(), { decided })
    await test.app.send(Count({ id: 'a', by: 2 }))
    await expect(test.app.send(Refuse({ id: 'a' }, { id: 'no' }))).rejects.toMatchObject({
      code: 'REJECTED',
      retryable: false,
      message: 'The total is 2 already.',
      details: { reason: 'TOO_MUCH' },
    })
    expect(decided.filter((id) => id === 'no')).toHaveLength(1)
    expect(await totals(test)).toEqual([1, 2])
  })

  it('are decided once per id, also after a restart, and give the same result', async () => {
    const place = make()
    const decided: string[] = []
    const test = await start(place, { decided })
    const once = Count({ id: 'a', by: 3 }, { id: 'count-1' })
    const first = await test.app.send(once)
    await test.app.send(Count({ id: 'a', by: 1 }))
    const second = await test.app.send(once)
    await test.stop()
    const again = await start(place, { decided })
    const third = await again.app.send(once)
    expect(first.duplicate).toBe(false)
    for (const repeated of [second, third]) expect(repeated).toEqual({ ...first, duplicate: true })
    expect(decided.filter((id) => id === 'count-1')).toHaveLength(1)
    expect(await totals(again)).toEqual(upTo(4))
  })

  it('are decided once per id even if nothing came of them', async () => {
    const place = make()
    const decided: string[] = []
    const test = await start(place, { decided })
    const nothing = Count({ id: 'a', by: 0 }, { id: 'count-0' })
    const first = await test.app.send(nothing)
    expect(first).toMatchObject({ events: [], duplicate: false, version: 0 })
    await test.app.send(Count({ id: 'a', by: 1 }))
    expect(await test.app.send(nothing)).toEqual({ ...first, duplicate: true })
    await test.stop()
    const again = await start(place, { decided })
    expect(await again.app.send(nothing)).toEqual({ ...first, duplicate: true })
    expect(decided.filter((id) => id === 'count-0')).toHaveLength(1)
  })

  it('have one effect per id however many send them at once', async () => {
    const place = make()
    const [one, two] = [await start(place), await start(place)]
    const sends = Array.from({ length: 20 }, (_, n) =>
      (n % 2 === 0 ? one : two).app.send(Count({ id: 'a', by: 2 }, { id: 'same' })),
    )
    const results = await place.runtime.until(Promise.all(sends))
    expect(results.filter(({ duplicate }) => !duplicate)).toHaveLength(1)
    const ids = results.map(({ events }) => events.map(({ id }) => id).join())
    expect(new Set(ids).size).toBe(1)
    expect(await totals(one)).toEqual([1, 2])
  })

  it('can be sent again with the same id when nobody knows what became of them', async () => {
    let cut = true
    const around = (one: Database): Database =>
      wrap(one, {
        append: async (requests) => {
          const verdicts = await one.append(requests)
          if (!cut) return verdicts
          cut = false
          throw new Error('the line was cut')
        },
      })
    const test = await start(make(), { around })
    const once = Count({ id: 'a', by: 2 }, { id: 'count-1' })
    await expect(test.app.send(once)).rejects.toThrow('the line was cut')
    expect(await test.app.send(once)).toMatchObject({ duplicate: true, version: 2 })
    expect(await totals(test)).toEqual([1, 2])
  })
})

type Act = { readonly id: string; readonly by: number }
const acts: fc.Arbitrary<Act[]> = fc.array(
  fc.record({ id: fc.constantFrom('a', 'b'), by: fc.integer({ min: -3, max: 3 }) }),
  { maxLength: 40 },
)

describe.each(kinds)('snapshots on $name', ({ name, make }) => {
  it('never change a result, however often they are taken', async () => {
    await fc.assert(
      fc.asyncProperty(acts, fc.integer({ min: 1, max: 9 }), async (history, every) => {
        const both = [await start(make()), await start(make(), { snapshot: { every } })] as const
        for (const act of history) {
          const [plainly, quickly] = await Promise.all(
            both.map((test) => test.app.send(Count(act))),
          )
          expect(quickly?.version).toBe(plainly?.version)
          expect(quickly?.events.map(({ data }) => data)).toEqual(
            plainly?.events.map(({ data }) => data),
          )
        }
        for (const test of both) await test.stop()
      }),
      { numRuns: name === 'memory' ? 30 : 8 },
    )
  })

  const saved = (test: Awaited<ReturnType<typeof start>>) =>
    look(test)(({ snapshots }) => snapshots.load('counter-a', 'counter/1'))

  /** Writes a snapshot of its own over the one that is there. */
  const spoil = (test: Awaited<ReturnType<typeof start>>, state: string, version: number) =>
    test.app.database.transact(({ snapshots }) =>
      snapshots.save({ stream: 'counter-a', version, tag: 'counter/1', state }),
    )

  it('are taken and used', async () => {
    const place = make()
    const test = await start(place, { snapshot: { every: 5 } })
    for (let n = 0; n < 12; n += 1) await test.app.send(Count({ id: 'a', by: 1 }))
    await test.runtime.rest()
    expect(await saved(test)).toMatchObject({ version: 10, state: '{"total":10}' })
    await spoil(test, '{"total":500}', 12)
    expect((await test.app.send(Count({ id: 'a', by: 1 }))).events[0]?.data).toMatchObject({
      total: 501,
    })
  })

  it.each([
    ['is damaged', '{"total":', 3],
    ['is ahead of the stream', '{"total":77}', 99],
  ] as const)('are not believed when one %s', async (_, state, version) => {
    const test = await start(make(), { snapshot: { every: 100 } })
    for (let n = 0; n < 5; n += 1) await test.app.send(Count({ id: 'a', by: 1 }))
    await spoil(test, state, version)
    const { events } = await test.app.send(Count({ id: 'a', by: 1 }))
    expect(events[0]?.data).toMatchObject({ total: 6 })
  })

  it('of another tag are not read', async () => {
    const place = make()
    const test = await start(place, { snapshot: { every: 2 } })
    for (let n = 0; n < 4; n += 1) await test.app.send(Count({ id: 'a', by: 1 }))
    await test.runtime.rest()
    await spoil(test, '{"total":500}', 4)
    await test.stop()
    const other = await start(place, { snapshot: { every: 2, tag: '2' } })
    const { events } = await other.app.send(Count({ id: 'a', by: 1 }))
    expect(events[0]?.data).toMatchObject({ total: 5 })
  })

  it('that cannot be written change nothing and are told', async () => {
    let broken = false
    const around = (one: Database): Database =>
      faulty(one, () => (broken ? 'before the commit' : undefined)).database
    const test = await start(make(), {
      snapshot: { every: 1 },
      around: (one) => wrap(around(one), { append: (requests) => one.append(requests) }),
    })
    broken = true
    await test.app.send(Count({ id: 'a', by: 1 }))
    await test.spy.signal('snapshot-failed')
    expect((await test.app.send(Count({ id: 'a', by: 1 }))).version).toBe(2)
    broken = false
  })
})

describe('two processes on one file', () => {
  it('decide commands that wait in the log once', async () => {
    const place = file.make()
    const decided: string[] = []
    const both = [await start(place, { decided }), await start(place, { decided })] as const
    await both[0].app.database.transact(async ({ events }) => {
      const rest = { correlationId: null, causationId: null, metadata: null, tags: [], time: 0 }
      for (let n = 0; n < 30; n += 1) {
        const message = {
          ...rest,
          id: `c-${n}`,
          kind: 'command',
          type: 'Count',
          schemaVersion: 1,
        } as const
        await events.append({
          stream: 'commands-Count',
          messages: [{ ...message, data: '{"id":"a","by":1}' }],
        })
      }
    })
    for (const test of both) test.app.wake()
    for (const test of both) await test.settle()
    expect(await totals(both[0])).toEqual(upTo(30))
  })
})
