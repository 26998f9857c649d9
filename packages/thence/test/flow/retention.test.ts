// What an app removes by itself: what is old enough, and only that.
import { audit } from 'thence/admin'
import { describe, expect, it } from 'vitest'
import { click, Clicked, keep, left, oldClicks, start } from '../kit/keeping.ts'
import { all, kinds, look } from '../kit/places.ts'

describe.each(kinds)('retention on $name', ({ make }) => {
  it('removes what is old enough of a category, and nothing else', async () => {
    const test = await start(make(), keep([oldClicks]))
    await click(test, 'clicks-1', 1, 2)
    await click(test, 'clicks', 3)
    await click(test, 'clicksmore-1', 4)
    await click(test, 'other', 5)
    await test.advance('40s')
    await click(test, 'clicks-1', 6)
    await click(test, 'clicks-2', 7)
    await test.advance('15s')
    expect(await left(test, 'clicks-1')).toEqual([1, 2, 6])
    await test.advance('20s')
    expect(await left(test, 'clicks-1')).toEqual([6])
    expect(await left(test, 'clicks')).toEqual([])
    expect(await left(test, 'clicksmore-1')).toEqual([4])
    expect(await left(test, 'other')).toEqual([5])
    await test.advance('40s')
    expect(await left(test, 'clicks-1')).toEqual([])
    expect(await left(test, 'clicks-2')).toEqual([])
    const removed = test.spy.signals.filter(({ name }) => name === 'retention-run')
    expect(removed).toMatchObject([{ removed: 3, held: 0 }, { removed: 2 }])
    const acts = await audit({ database: test.app.database }, { action: 'retention.run' })
    expect(acts.map(({ actor, details }) => [actor, details])).toEqual([
      [
        'thence',
        {
          rules: { 'category clicks: messages': expect.objectContaining({ removed: 2 }) },
          tables: {},
        },
      ],
      [
        'thence',
        {
          rules: { 'category clicks: messages': expect.objectContaining({ removed: 3 }) },
          tables: {},
        },
      ],
    ])
  })

  it('removes more than fits into one batch, of many streams and of one', async () => {
    const test = await start(make(), keep([oldClicks]))
    const many = Array.from({ length: 700 }, (_, n) => n)
    await test.app.append({ stream: 'clicks-long', events: many.map((n) => Clicked({ n })) })
    await Promise.all(many.map((n) => click(test, `clicks-${n}`, n)))
    await test.advance('75s')
    expect(await all(test.app.log())).toEqual([])
    await click(test, 'clicks-long', 1)
    expect((await all(test.app.stream('clicks-long')))[0]?.version).toBe(701)
  })

  it('removes a whole stream once its last message is old enough', async () => {
    const rule = { category: 'clicks', olderThan: '1m', remove: 'streams' } as const
    const test = await start(make(), keep([rule]))
    await click(test, 'clicks-1', 1, 2)
    await click(test, 'clicks-2', 3)
    await test.advance('40s')
    await click(test, 'clicks-1', 4)
    await test.advance('40s')
    expect(await left(test, 'clicks-1')).toEqual([1, 2, 4])
    expect(await left(test, 'clicks-2')).toEqual([])
    await click(test, 'clicks-2', 5)
    await test.advance('40s')
    expect(await left(test, 'clicks-1')).toEqual([])
    expect(await left(test, 'clicks-2')).toEqual([5])
  })

  it('ends streams for good where that is asked for', async () => {
    const rule = {
      category: 'clicks',
      olderThan: '1m',
      remove: 'streams',
      tombstone: true,
    } as const
    const test = await start(make(), keep([rule]))
    await click(test, 'clicks-1', 1)
    await test.advance('75s')
    expect(await left(test, 'clicks-1')).toEqual([])
    await expect(click(test, 'clicks-1', 2)).rejects.toMatchObject({ code: 'STREAM_TOMBSTONED' })
    await click(test, 'clicks-2', 3)
  })

  it('goes on after a restart, also over what it has passed before', async () => {
    const place = make()
    const before = await start(place, keep([oldClicks]))
    await click(before, 'other', 1)
    await click(before, 'clicks-1', 2)
    await before.advance('75s')
    await click(before, 'clicks-1', 3)
    await before.stop()
    const test = await start(place, keep([oldClicks]))
    await test.advance('75s')
    expect(await left(test, 'clicks-1')).toEqual([])
    expect(await left(test, 'other')).toEqual([1])
  })

  it('keeps everything by default', async () => {
    const test = await start(make())
    await click(test, 'clicks-1', 1)
    await test.advance('1h')
    expect(await left(test, 'clicks-1')).toEqual([1])
  })
})

describe.each(kinds)('the rest of the store on $name', ({ make }) => {
  it('is trimmed by age', async () => {
    const tables = { inbox: '1m', audit: '2m' } as const
    const test = await start(make(), keep(undefined, tables))
    await test.app.database.transact(async ({ inbox, audit: entries }) => {
      await inbox.remember('c', 'old', { stream: 's', version: 1, position: 1, count: 1 })
      const entry = { actor: 'a', action: 'x', target: 't', details: '{}', reason: null }
      await entries.add({ ...entry, id: '1', time: test.runtime.now() })
    })
    await test.advance('40s')
    await test.app.database.transact(({ inbox }) =>
      inbox.remember('c', 'new', { stream: 's', version: 1, position: 1, count: 1 }),
    )
    await test.advance('40s')
    const sizes = await look(test)((transaction) => transaction.sizes.read(99))
    expect(sizes.tables.inbox.rows).toBe(1)
    expect(sizes.tables.audit.rows).toBeGreaterThan(0)
    await test.advance('120s')
    const later = await look(test)((transaction) => transaction.sizes.read(99))
    expect(later.tables.inbox.rows).toBe(0)
    const acts = await audit({ database: test.app.database }, { target: 't' })
    expect(acts).toEqual([])
  })
})
