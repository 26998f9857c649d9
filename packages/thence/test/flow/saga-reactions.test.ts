// Reactions of a saga: a state of its own, and timers that act much later, whatever process is there by then.
import { command, event, plain, saga } from 'thence'
import { describe, expect, it } from 'vitest'
import { slowly } from '../kit/faults.ts'
import type { Around, Kind, Place } from '../kit/places.ts'
import { all, kinds, look, run } from '../kit/places.ts'

const Rained = event('Rained', plain<{ id: string; litres: number }>())
const Planted = event('Planted', plain<{ id: string; litres: number }>())
const Harvest = command('Harvest', plain<{ id: string; litres: number }>())
const Uprooted = event('Uprooted', plain<{ id: string; litres: number }>())
const Cleared = event('Cleared', plain<{ id: string; litres: number }>())

describe.each(kinds)('reactions of a saga on $name', ({ make }: Kind) => {
  const garden = saga('garden', {
    startedBy: Planted,
    key: ({ data }) => data.id,
    state: () => ({ litres: 0, nights: 0 }),
    on: (on) =>
      on(Planted, () => ({ timer: { name: 'night', in: '1d' } }))
        .on(Rained, ({ state }, { data }) => ({
          state: { ...state, litres: state.litres + data.litres },
        }))
        .on(Cleared, () => ({ cancelTimer: 'night' }))
        .on(Uprooted, () => ({ complete: true })),
    onTimer: ({ state, key }, timer) => {
      const next = { ...state, nights: state.nights + 1 }
      if (next.nights < 3) return { state: next, timer: { name: timer, in: '1d' } }
      return { state: next, send: Harvest({ id: key, litres: state.litres }), complete: true }
    },
  })
  const harvested: unknown[] = []
  const open = (place: Place, around: Around = (one) => one) =>
    run(
      place,
      (app) => app.use(garden).handle('barn', Harvest, ({ data }) => void harvested.push(data)),
      { around },
    )

  it('keep their own state and act when their timers fire, across restarts', async () => {
    harvested.length = 0
    const place = make()
    const first = await open(place)
    await first.app.append({
      events: [Planted({ id: 'a', litres: 0 }), Rained({ id: 'a', litres: 2 })],
    })
    await first.settle()
    await place.runtime.jump('25h')
    await first.settle()
    await first.stop()
    const second = await open(place)
    await second.app.append({ events: Rained({ id: 'a', litres: 5 }) })
    await second.settle()
    for (let night = 0; night < 2; night += 1) {
      expect(harvested).toEqual([])
      await place.runtime.jump('25h')
      await second.advance('1s')
    }
    expect(harvested).toEqual([{ id: 'a', litres: 7 }])
    await second.app.append({ events: Rained({ id: 'a', litres: 9 }) })
    await place.runtime.jump('5d')
    await second.settle()
    expect(harvested).toHaveLength(1)
    expect(await look(second)(({ timers }) => timers.wait())).toBeUndefined()
  })

  it('end a saga with all its timers, and nothing wakes it again', async () => {
    harvested.length = 0
    const test = await open(make())
    const plant = { id: 'c', litres: 0 }
    await test.app.append({ events: [Planted(plant), Uprooted(plant)] })
    await test.settle()
    expect(await look(test)(({ timers }) => timers.wait())).toBeUndefined()
    const history = await all(test.app.stream('garden-c'))
    expect(history.at(-1)?.type).toBe('garden.finished')
    const late = { key: 'c', kind: 'timer', step: 'night', attempt: 1 } as const
    await test.app.append({
      events: [garden.facts.timerFired(late), Rained(plant), Uprooted(plant)],
    })
    await test.settle()
    expect(await all(test.app.stream('garden-c'))).toHaveLength(history.length)
  })

  it('act once per timer, though two apps watch the clock', async () => {
    harvested.length = 0
    const place = make()
    const both = [await open(place, slowly), await open(place, slowly)] as const
    const plants = Array.from({ length: 20 }, (_, n) => Planted({ id: `p-${n}`, litres: n }))
    await both[0].app.append({ events: plants })
    for (let night = 0; night < 3; night += 1) {
      for (const test of both) await test.settle()
      await place.runtime.jump('25h')
      await place.runtime.advance('1s')
    }
    for (const test of both) await test.settle()
    const counted = async (wanted: string): Promise<number> =>
      (await all(both[0].app.log({ query: [{ types: [wanted] }] }))).length
    expect(await counted('garden.timerFired')).toBe(60)
    expect(await counted('Harvest')).toBe(20)
  })

  it('cancel a timer', async () => {
    harvested.length = 0
    const test = await open(make())
    await test.app.append({
      events: [Planted({ id: 'b', litres: 0 }), Cleared({ id: 'b', litres: 0 })],
    })
    await test.settle()
    await test.runtime.jump('10d')
    await test.settle()
    expect(harvested).toEqual([])
    expect(await look(test)(({ timers }) => timers.wait())).toBeUndefined()
  })
})
