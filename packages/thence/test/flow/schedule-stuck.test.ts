// What waits for its time and can't be fired: status says so first, with the command that mends it, and that mends it.
import { documents, projection } from 'thence'
import { fireSchedule, status } from 'thence/admin'
import { describe, expect, it } from 'vitest'
import type { Night } from '../kit/night.ts'
import { Make, maker, nightly } from '../kit/night.ts'
import { kinds, run } from '../kit/places.ts'
import { settleIn, towns } from '../kit/towns.ts'

const on = ({ app, runtime }: Pick<Night, 'app' | 'runtime'>) => ({
  database: app.database,
  runtime,
})

const attention = async (test: Pick<Night, 'app' | 'runtime'>) =>
  (await status(on(test))).attention.map(({ name, what, advice }) => ({ name, what, advice }))

describe.each(kinds)('commands for later that cannot be fired, on $name', ({ make }) => {
  it('are told with their error: one with how to fire it, several with how to list them', async () => {
    const state = { broken: true }
    const book = projection('book', {
      view: documents<number>(),
      inline: true,
      on: (one) =>
        one(Make, () => {
          if (state.broken) throw new Error(`no paper, ${'no ink, '.repeat(50)}\n`)
        }),
    })
    const test = await run(make(), (app) => app.use(maker, book))
    const send = (of: string) => test.app.send(Make({ of, manual: true }, { id: of }), { in: '1s' })
    await send('a')
    await test.runtime.advance('3s')
    expect(await attention(test)).toEqual([])
    await test.runtime.advance('10m')
    const [one] = await attention(test)
    expect(one).toMatchObject({ name: 'send:a', advice: 'thence schedules fire send:a' })
    expect(one?.what).toMatch(/^can't be fired: Error: no paper, .{70,90}…$/)
    await send('b')
    await test.runtime.advance('10m')
    const what = expect.stringMatching(/^2 can't be fired, for example: Error: no paper/)
    expect(await attention(test)).toEqual([
      { name: 'timers', what, advice: 'thence schedules list --all' },
    ])
    state.broken = false
    await fireSchedule(on(test), 'send:a')
    await fireSchedule(on(test), 'send:b')
    await test.advance('2s')
    expect(await attention(test)).toEqual([])
    expect((await test.app.schedules.list()).timers).toEqual([])
  })
})

describe.each(towns)('a slot that cannot be sent, on $name', ({ make }) => {
  const moody = (state: { broken: boolean }) =>
    nightly({
      cron: '0 * * * *',
      catchUp: 'all',
      send: ({ local, manual }) => {
        if (state.broken) throw new Error('no paper')
        return Make({ of: local.slice(0, 19), manual })
      },
    })

  it('is told while it is tried again, and when it was given up', async () => {
    const state = { broken: false }
    const town = make()
    const test = await settleIn(town, [moody(state)])
    state.broken = true
    town.clock.move(3_600_000)
    await test.runtime.advance('5s')
    expect(await attention(test)).toMatchObject([
      {
        name: 'schedule:nightly',
        what: expect.stringMatching(/^a slot failed \(attempt \d\): Error: no paper$/),
        advice: 'It tries again by itself; see: thence schedules show nightly',
      },
    ])
    await test.runtime.advance('10m')
    expect(await attention(test)).toEqual([
      {
        name: 'schedule:nightly',
        what: 'a slot was given up after 10 attempts: Error: no paper',
        advice: 'thence schedules fire nightly',
      },
    ])
    state.broken = false
    expect(await test.app.schedules.fire('nightly')).toBe(true)
    await test.advance('2s')
    expect(await test.made()).toEqual(['2026-01-01T01:00:00'])
    expect(await attention(test)).toEqual([])
  })

  it.each([
    ['the next start', async () => true],
    ['a person', ({ app }: Night) => app.schedules.fire('nightly')],
  ] as const)('is not sent early by %s if the clock was set back meanwhile', async (_, again) => {
    const state = { broken: false }
    const town = make()
    const first = await settleIn(town, [moody(state)])
    state.broken = true
    town.clock.move(3_600_000)
    await first.runtime.advance('10m')
    await first.spy.signal('timer-parked')
    town.clock.move(-3_600_000)
    state.broken = false
    expect(await again(first)).toBe(true)
    await first.stop()
    const second = await settleIn(town, [moody(state)])
    await second.advance('10s')
    expect(await second.made()).toEqual([])
    town.clock.move(3_600_000)
    await second.advance('2s')
    expect(await second.made()).toEqual(['2026-01-01T01:00:00'])
  })
})
