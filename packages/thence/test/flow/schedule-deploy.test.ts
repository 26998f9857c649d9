// A schedule that changes from one version of an app to the next, or is gone: whose slots are sent, by which clock, and
// who has its way while both versions run.
import { status } from 'thence/admin'
import { describe, expect, it } from 'vitest'
import type { Night } from '../kit/night.ts'
import { madeIn, night, nightly } from '../kit/night.ts'
import { kinds, wrap } from '../kit/places.ts'
import { settleIn, towns } from '../kit/towns.ts'

const stateOf = async ({ app }: Night, name = 'nightly') => {
  const { timers } = await app.schedules.list()
  return timers.find((one) => one.name === name)
}

describe.each(kinds)('a deploy that changes a schedule, on $name', ({ make }) => {
  it.each([
    ['the pattern', { cron: '0 5 * * *' }, ['2026-01-02T05:00:00', '2026-01-03T05:00:00']],
    ['the zone', { zone: 'Asia/Tokyo' }, ['2026-01-03T02:00:00', '2026-01-04T02:00:00']],
  ] as const)('%s: old slots are not sent any more, new ones are', async (_, change, expected) => {
    const place = make()
    const first = await night(place, [nightly()])
    await place.runtime.jump('1d')
    await first.settle()
    await first.stop()
    const second = await night(place, [nightly(change)])
    expect((await stateOf(second))?.schedule).toMatchObject(change)
    for (let n = 0; n < 8; n += 1) await place.runtime.jump('6h')
    await second.settle()
    expect(await second.made()).toEqual(['2026-01-01T02:00:00', ...expected])
  })

  it.each([
    ['the same pattern', {}],
    ['another pattern', { cron: '0 5 * * *' }],
  ] as const)('with %s: what was missed is for the new policy to say', async (_, change) => {
    const place = make()
    const first = await night(place, [nightly({ catchUp: 'all' })])
    await first.stop()
    await place.runtime.jump('3d')
    const second = await night(place, [nightly({ ...change, catchUp: 'none' })])
    await second.advance('2s')
    expect(await second.made()).toEqual([])
    expect((await stateOf(second))?.schedule).toMatchObject({
      catchUp: 'none',
      skipped: { slots: 3 },
      ...change,
    })
    await second.stop()
    await place.runtime.jump('2d')
    const third = await night(place, [nightly({ ...change, catchUp: 'all' })])
    await third.advance('2s')
    expect(await third.made()).toHaveLength(2)
  })

  it('what was due under the old pattern is sent, also if the app was down, and nothing of the new one comes before', async () => {
    const place = make()
    const first = await night(place, [nightly({ catchUp: 'all' })])
    await first.stop()
    await place.runtime.jump('2d')
    const second = await night(place, [nightly({ cron: '0 * * * *', catchUp: 'all' })])
    await second.advance('2s')
    expect(await second.made()).toEqual(['2026-01-01T02:00:00', '2026-01-02T02:00:00'])
    await place.runtime.jump('1h')
    await second.settle()
    expect((await second.made()).slice(2)).toEqual(['2026-01-03T01:00:00'])
  })

  it('a slot that was sent does not come again if the clock was set back before the deploy', async () => {
    const town = towns[0]!.make()
    const first = await settleIn(town, [nightly({ cron: '0 * * * *' })])
    await first.runtime.advance('1s')
    town.clock.move(2 * 3_600_000)
    await first.advance('2s')
    expect(await first.made()).toEqual(['2026-01-01T02:00:00'])
    await first.stop()
    town.clock.move(-3_600_000)
    const second = await settleIn(town, [nightly({ cron: '*/30 * * * *', catchUp: 'all' })])
    town.clock.move(2 * 3_600_000)
    await second.advance('2s')
    expect((await second.made()).slice(1)).toEqual(['2026-01-01T02:30:00', '2026-01-01T03:00:00'])
  })
})

describe.each(towns)('two versions side by side, on $name', ({ make }) => {
  const old = () => nightly({ cron: '0 * * * * *', zone: 'UTC' })
  const fresh = () => nightly({ cron: '*/20 * * * * *', zone: 'Asia/Tokyo' })

  it('plan by what the last one that was started says, whichever of them sends, and do not fight', async () => {
    const town = make()
    const one = await settleIn(town, [old()])
    const two = await settleIn(town, [fresh()])
    const fired = { one: 0, two: 0 }
    one.app.listen(['timer-fired'], () => void (fired.one += 1))
    two.app.listen(['timer-fired'], () => void (fired.two += 1))
    await town.clock.runtime.advance('3m')
    await two.settle()
    const made = await two.made()
    expect(made).toHaveLength(9)
    // By the clock of the definition that holds, also if the other version has sent it.
    expect(made.every((of) => of.startsWith('2026-01-01T09:0'))).toBe(true)
    expect(fired.one).toBeGreaterThan(0)
    expect((await stateOf(one))?.schedule).toMatchObject({ zone: 'Asia/Tokyo' })
  })

  it('no clock that is set takes the definition away from the one that has it', async () => {
    const town = make()
    const one = await settleIn(town, [old()])
    const two = await settleIn(town, [fresh()])
    for (const step of [3_600_000, -1_800_000, 600_000]) {
      town.clock.move(step)
      await town.clock.runtime.advance('40s')
      expect(await stateOf(one)).toMatchObject({ schedule: { zone: 'Asia/Tokyo' } })
      expect((await stateOf(two))?.state).toBe('waiting')
    }
  })

  it('after a rollback the one that still runs takes over, two to three minutes after the other is gone', async () => {
    const town = make()
    const one = await settleIn(town, [old()])
    const two = await settleIn(town, [fresh()])
    await town.clock.runtime.advance('10s')
    await two.stop()
    await town.clock.runtime.advance('110s')
    expect((await stateOf(one))?.schedule).toMatchObject({ zone: 'Asia/Tokyo' })
    await town.clock.runtime.advance('70s')
    expect(await stateOf(one)).toMatchObject({ state: 'waiting', schedule: { zone: 'UTC' } })
    const before = (await one.made()).length
    await town.clock.runtime.advance('2m')
    expect((await one.made()).slice(before)).toHaveLength(2)
    expect((await one.made()).at(-1)).toMatch(/^2026-01-01T00:0\d:00$/)
  })
})

describe.each(towns)('a schedule that was removed, on $name', ({ make }) => {
  const on = ({ app, runtime }: Night) => ({ database: app.database, runtime })

  it('is sent by a process that still has it', async () => {
    const town = make()
    const one = await settleIn(town, [nightly({ cron: '* * * * *' })])
    const without = await settleIn(town, [])
    await town.clock.runtime.advance('5m')
    expect(await without.made()).toHaveLength(5)
    expect((await stateOf(without))?.state).toBe('waiting')
    expect((await status(on(one))).attention).toEqual([])
  })

  it('is absent, is told, and is caught up when it comes back; a cancel ends that', async () => {
    const town = make()
    const first = await settleIn(town, [nightly({ cron: '* * * * *', catchUp: 'all' })])
    await first.stop()
    const without = await settleIn(town, [])
    await town.clock.runtime.advance('1m')
    expect((await stateOf(without))?.state).toBe('waiting')
    await town.clock.runtime.advance('2m')
    expect(await stateOf(without)).toMatchObject({ state: 'absent', late: 120_000 })
    expect(await without.made()).toEqual([])
    expect((await status(on(without))).attention).toMatchObject([
      {
        name: 'schedule:nightly',
        what: 'no running app has it',
        advice: 'Start the app that has it, or: thence schedules cancel nightly',
      },
    ])
    const back = await settleIn(town, [nightly({ cron: '* * * * *', catchUp: 'all' })])
    await back.advance('2s')
    expect(await back.made()).toHaveLength(3)
    await back.stop()
    expect(await without.app.schedules.cancel('nightly')).toBe(true)
    await town.clock.runtime.advance('3m')
    expect((await status(on(without))).attention).toEqual([])
  })
})

it('schedules that catch up at once are sent in several transactions', async () => {
  const place = kinds[0]!.make()
  const many = ['a', 'b', 'c'].map((name) => nightly({ cron: '* * * * *', catchUp: 'all' }, name))
  const first = await night(place, many)
  await first.stop()
  await place.runtime.jump('5h')
  const grown: number[] = []
  const second = await night(place, many, {
    around: (inner) =>
      wrap(inner, {
        transact: (work, options) =>
          inner.transact(async (transaction) => {
            const before = await transaction.events.head()
            const result = await work(transaction)
            grown.push((await transaction.events.head()) - before)
            return result
          }, options),
      }),
  })
  await second.advance('2s')
  expect(await madeIn(second.app)).toHaveLength(900)
  expect(Math.max(...grown)).toBe(300)
})
