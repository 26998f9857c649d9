// Schedules: each slot is sent once, also after an outage as far as the schedule wants that, and what cannot be sent is
// kept and told.
import { command, plain } from 'thence'
import { describe, expect, it } from 'vitest'
import { actions, madeIn, Make, night, nightly, nights } from '../kit/night.ts'
import { kinds, run } from '../kit/places.ts'

const day = 86_400_000

describe.each(kinds)('a schedule, on $name', ({ make }) => {
  it('sends one command for each slot, with an id made from it, never early', async () => {
    const test = await night(make(), [nightly()])
    for (let n = 0; n < 3; n += 1) await test.runtime.jump('1d')
    await test.settle()
    expect(await test.made()).toEqual(nights(1, 3))
    for (const { id, of, time, manual } of await madeIn(test.app)) {
      expect(id).toBe(`nightly@${of}.000Z`)
      expect(manual).toBe(false)
      expect(time).toBeGreaterThanOrEqual(Date.parse(`${of}Z`))
    }
  })

  it('is on time to a second while the app runs', async () => {
    const test = await night(make(), [nightly({ cron: '* * * * *' })])
    await test.advance('3m')
    const made = await madeIn(test.app)
    expect(made).toHaveLength(3)
    for (const { of, time } of made) expect(time - Date.parse(`${of}Z`)).toBeLessThanOrEqual(1000)
  })

  it('does not send what came before it was there', async () => {
    const place = make()
    await place.runtime.jump('10d')
    const test = await night(place, [nightly({ catchUp: 'all' })])
    await test.advance('2s')
    expect(await test.made()).toEqual([])
    expect((await test.app.schedules.list()).timers).toMatchObject([
      { id: 'schedule:nightly', state: 'waiting', due: test.runtime.now() - 2000 + day / 12 },
    ])
  })

  it.each([
    ['all', nights(1, 4), []],
    ['latest', nights(4, 4), [3]],
    ['none', [], [4]],
  ] as const)(
    'after an outage it sends %s of what it missed',
    async (catchUp, expected, skipped) => {
      const place = make()
      const first = await night(place, [nightly({ catchUp })])
      await first.stop()
      await place.runtime.jump('4d')
      const warned: string[] = []
      const silent = (): void => undefined
      const logger = { error: silent, info: silent, warn: (text: string) => void warned.push(text) }
      const second = await night(place, [nightly({ catchUp })], { logger })
      await second.advance('2s')
      expect(await second.made()).toEqual(expected)
      const told = skipped.map((n) => `schedule nightly: ${n} missed slots were skipped`)
      expect(warned).toEqual(told.map((text) => expect.stringContaining(text)))
      const [actor, action, target] = ['thence', 'schedule.skip', 'schedule:nightly']
      expect(await actions(second)).toMatchObject(
        skipped.map((slots) => ({ actor, action, target, slots, catchUp })),
      )
      await place.runtime.jump('2h')
      await second.settle()
      expect(await second.made()).toEqual([...expected, ...nights(5, 5)])
    },
  )

  it('a restart over a slot is no outage', async () => {
    const place = make()
    const first = await night(place, [nightly({ catchUp: 'none' })])
    await first.stop()
    await place.runtime.jump('2h')
    await place.runtime.jump('59s')
    const second = await night(place, [nightly({ catchUp: 'none' })])
    await second.advance('1s')
    expect(await second.made()).toEqual(nights(1, 1))
  })
})

describe.each(kinds)('a slot that cannot be sent, on $name', ({ make }) => {
  const moody = (state: { broken: boolean }, cron = '0 2 * * *') =>
    nightly({
      cron,
      catchUp: 'all',
      send: ({ local, manual }) => {
        if (state.broken) throw new Error('no paper')
        return Make({ of: local.slice(0, 19), manual })
      },
    })

  it('is tried again, holds up no other schedule, and is not lost', async () => {
    const state = { broken: false }
    const test = await night(make(), [moody(state), nightly({}, 'other')])
    state.broken = true
    await test.runtime.jump('2h')
    await test.spy.signal('timer-failed', ({ attempts }) => attempts === 2)
    expect(await test.made()).toEqual(nights(1, 1))
    state.broken = false
    await test.advance('2m')
    expect((await madeIn(test.app)).map(({ id }) => id.split('@')[0])).toEqual(['other', 'nightly'])
  })

  it('waits for a person when its attempts are used up, and for the next start', async () => {
    const place = make()
    const state = { broken: false }
    const first = await night(place, [moody(state)])
    state.broken = true
    await first.runtime.jump('2h')
    await first.spy.signal('timer-parked')
    const { timers } = await first.app.schedules.list()
    expect(timers).toMatchObject([
      {
        id: 'schedule:nightly',
        state: 'parked',
        next: null,
        attempts: 10,
        error: 'Error: no paper',
      },
    ])
    await first.runtime.jump('1d')
    state.broken = false
    await first.advance('2s')
    expect(await first.made()).toEqual([])
    expect(await first.app.schedules.fire('schedule:nightly')).toBe(true)
    await first.advance('2s')
    expect(await first.made()).toEqual(nights(1, 2))
    state.broken = true
    await first.runtime.jump('1d')
    await first.spy.signal(
      'timer-parked',
      () => first.spy.signals.filter(({ name }) => name === 'timer-parked').length === 2,
    )
    await first.stop()
    state.broken = false
    const second = await night(place, [moody(state)])
    await second.advance('2s')
    expect(await second.made()).toEqual(nights(1, 3))
  })

  it('does not let the app start if it could never be sent', async () => {
    const Unknown = command('Unknown', plain<object>())
    const state = { broken: true }
    for (const [part, error] of [
      [moody(state), { code: 'CONFIG_INVALID', message: expect.stringContaining('no paper') }],
      [nightly({ send: () => Unknown({}) }), { code: 'MESSAGE_UNKNOWN' }],
      [
        nightly({ send: () => Make({ of: undefined as never, manual: Number.NaN as never }) }),
        { code: 'VALUE_NOT_STORABLE' },
      ],
    ] as const)
      await expect(night(make(), [part])).rejects.toMatchObject(error)
    await expect(run(make(), (app) => app.use(nightly()))).rejects.toMatchObject({
      code: 'MESSAGE_UNKNOWN',
    })
    await expect(night(make(), [nightly(), nightly()])).rejects.toMatchObject({
      code: 'NAME_TAKEN',
    })
  })
})
