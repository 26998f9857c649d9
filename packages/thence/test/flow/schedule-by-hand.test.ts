// Schedules and commands for later in the hands of an operator: fired, cancelled, resumed, and who did it.
import { schedule } from 'thence'
import { describe, expect, it } from 'vitest'
import { actions, madeIn, maker, Make, night, nightly, nights } from '../kit/night.ts'
import { kinds, run, wrap } from '../kit/places.ts'

describe.each(kinds)('by hand, on $name', ({ make }) => {
  it('a schedule is fired beside its slots, and says so', async () => {
    const test = await night(make(), [nightly({ zone: 'Europe/Berlin' })])
    const { schedules } = test.app
    expect(
      await schedules.fire('schedule:nightly', { actor: 'ann', reason: 'the press asks' }),
    ).toBe(true)
    await test.advance('1s')
    await test.runtime.jump('1d')
    await test.settle()
    const made = await madeIn(test.app)
    expect(made.map(({ of, manual }) => [of, manual])).toEqual([
      ['2026-01-01T01:00:00', true],
      ['2026-01-01T02:00:00', false],
    ])
    expect(await actions(test)).toMatchObject([
      { action: 'schedule.fire', target: 'schedule:nightly', actor: 'ann' },
    ])
    expect(await schedules.fire('schedule:other')).toBe(false)
  })

  it('a schedule is cancelled until it is resumed, over restarts', async () => {
    const place = make()
    const first = await night(place, [nightly({ catchUp: 'all' })])
    expect(await first.app.schedules.cancel('schedule:nightly')).toBe(true)
    expect(await first.app.schedules.cancel('schedule:nightly')).toBe(false)
    await first.runtime.jump('2d')
    await first.stop()
    const second = await night(place, [nightly({ catchUp: 'all' })])
    const { schedules } = second.app
    await second.runtime.jump('2d')
    expect(await second.made()).toEqual([])
    expect((await schedules.list()).timers).toMatchObject([{ state: 'cancelled', due: null }])
    expect(await schedules.fire('schedule:nightly')).toBe(true)
    await second.advance('2s')
    expect((await madeIn(second.app)).map(({ manual }) => manual)).toEqual([true])
    expect(await schedules.resume('schedule:nightly')).toBe(true)
    await expect(schedules.resume('schedule:nightly')).rejects.toMatchObject({
      code: 'STATE_INVALID',
    })
    await second.runtime.jump('1d')
    expect((await second.made()).slice(1)).toEqual(nights(5, 5))
    expect((await actions(second)).map(({ action }) => action)).toEqual([
      'schedule.resume',
      'schedule.fire',
      'schedule.cancel',
    ])
  })

  it('a command for later is cancelled or fired, once', async () => {
    const test = await night(make(), [])
    const { app } = test
    const send = (of: string) => app.send(Make({ of, manual: true }, { id: of }), { in: '1h' })
    const [a, b] = [await send('a'), await send('b')]
    const { timers } = await app.schedules.list()
    expect(timers).toMatchObject([
      { id: a.id, kind: 'send', name: 'Make', state: 'waiting', due: a.due },
      { id: b.id },
    ])
    expect(await app.schedules.cancel(a.id)).toBe(true)
    expect(await app.schedules.fire(a.id)).toBe(false)
    expect(await app.schedules.fire(b.id)).toBe(true)
    await test.advance('1s')
    expect(await app.schedules.cancel(b.id)).toBe(false)
    await test.runtime.jump('2h')
    await test.settle()
    expect(await test.made()).toEqual(['b'])
    // What was cancelled is not known any more: it may be sent again.
    expect(await send('a')).toMatchObject({ duplicate: false })
  })
})

it('the list is given in pages, and refuses what is none', async () => {
  const test = await night(kinds[0]!.make(), [nightly()])
  const { app } = test
  for (const n of [3, 1, 2]) await app.send(Make({ of: `${n}`, manual: true }), { in: `${n}h` })
  const first = await app.schedules.list({ limit: 2 })
  expect(first.timers.map(({ kind }) => kind)).toEqual(['schedule', 'send', 'send'])
  const second = await app.schedules.list({ limit: 2, after: first.next ?? '' })
  expect(second.timers).toHaveLength(1)
  expect(second.next).toBeNull()
  expect((await app.schedules.list({ all: true })).timers).toHaveLength(4)
  await expect(app.schedules.list({ after: 'x' })).rejects.toMatchObject({ code: 'CONFIG_INVALID' })
})

it('a schedule that only another app has holds up nothing', async () => {
  const place = kinds[0]!.make()
  const first = await night(
    place,
    ['a', 'b', 'c'].map((name) => nightly({ catchUp: 'all' }, name)),
  )
  await first.stop()
  await place.runtime.jump('3d')
  let writes = 0
  const second = await night(place, [nightly({ cron: '* * * * *' }, 'own')], {
    around: (inner) =>
      wrap(inner, {
        transact: (work, options) => {
          writes += 1
          return inner.transact(work, options)
        },
      }),
  })
  await second.advance('2m')
  expect((await madeIn(second.app)).map(({ id }) => id.split('@')[0])).toEqual(['own', 'own'])
  const before = writes
  await second.advance('20s')
  expect(writes - before).toBeLessThan(20)
  expect(
    (await second.app.schedules.list()).timers.map(({ name, state }) => [name, state]),
  ).toEqual([
    ['a', 'absent'],
    ['b', 'absent'],
    ['c', 'absent'],
    ['own', 'waiting'],
  ])
  await second.stop()
  const third = await run(place, (app) =>
    app.use(
      maker,
      schedule('a', {
        cron: '0 2 * * *',
        catchUp: 'all',
        send: ({ local, manual }) => Make({ of: local, manual }),
      }),
    ),
  )
  await third.advance('2s')
  expect((await madeIn(third.app)).filter(({ id }) => id.startsWith('a@'))).toHaveLength(3)
})
