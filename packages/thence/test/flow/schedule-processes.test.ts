// Several apps on one store, with the same schedules: each slot is sent once, whoever is killed when and whatever their
// clocks say; and of a cancel and a firing that race, one has its way.
import type { Database } from 'thence'
import { ThenceError } from 'thence'
import { cancelSchedule } from 'thence/admin'
import { describe, expect, it } from 'vitest'
import { losable, slowly } from '../kit/faults.ts'
import type { Night } from '../kit/night.ts'
import { madeIn, Make, nightly } from '../kit/night.ts'
import { look, wrap } from '../kit/places.ts'
import type { Town } from '../kit/towns.ts'
import { settleIn, towns } from '../kit/towns.ts'

const second = 1000
const minute = 60 * second
const hour = 60 * minute

/** Every two seconds, and its slot in its command. */
const often = (cron = '*/2 * * * * *') =>
  nightly({
    cron,
    catchUp: 'all',
    send: ({ time, manual }) => Make({ of: new Date(time).toISOString(), manual }),
  })

const slots = (from: number, until: number, every = 2 * second): readonly string[] =>
  Array.from({ length: Math.floor((until - from) / every) }, (_, n) =>
    new Date(from + (n + 1) * every).toISOString(),
  )

/** Each slot has one command, none is early, none is missing up to now. */
const checkSlots = async (
  { app }: Night,
  [from, until]: readonly [number, number],
  every = 2 * second,
) => {
  const made = await madeIn(app)
  expect(made.map(({ of }) => of)).toEqual(slots(from, until, every))
  for (const { of, time } of made) expect(time).toBeGreaterThanOrEqual(Date.parse(of))
}

describe.each(towns)('two apps on $name', ({ make }) => {
  it('send each slot once, however they share them', async () => {
    const town = make()
    const begin = town.clock.now()
    const apps = [
      await settleIn(town, [often()], { around: slowly }),
      await settleIn(town, [often()], { around: slowly }),
    ] as const
    const fired = [0, 0]
    const repeated: unknown[] = []
    for (const [n, { app }] of apps.entries()) {
      app.listen(['timer-fired'], () => void (fired[n]! += 1))
      app.listen(['append-repeated'], (signal) => void repeated.push(signal))
    }
    await town.clock.runtime.advance('1m')
    await apps[0].stop()
    await town.clock.runtime.advance('1m')
    const again = await settleIn(town, [often()])
    await again.advance('10s')
    await checkSlots(again, [begin, town.clock.now()])
    expect(fired[0]! + fired[1]!).toBeGreaterThanOrEqual(60)
    expect(Math.min(...fired)).toBeGreaterThan(0)
    expect(repeated).toEqual([])
  })

  it.each(['before', 'after'] as const)(
    'send each slot once when one is killed %s any of its commits',
    async (when) => {
      for (let n = 1; n <= 24; n += 1) {
        const town = make()
        const begin = town.clock.now()
        const other = await settleIn(town, [often()])
        const killed = await settleIn(town, [often()], {
          around: (one) => mortal(one, n, when),
        }).catch(() => undefined)
        await town.clock.runtime.advance('9s')
        await other.stop()
        const last = await settleIn(town, [often()])
        await last.advance('3s')
        await checkSlots(last, [begin, town.clock.now()])
        await last.stop()
        await killed?.stop().catch(() => undefined)
      }
    },
  )

  it('neither lose, double nor hurry a slot when the clock is set and theirs are an hour wrong', async () => {
    const town = make()
    const { clock } = town
    const every = 10 * second
    const schedules = [often('*/10 * * * * *')]
    const one = await settleIn(town, schedules, { wrongBy: -hour })
    const begin = await look(one)(({ timers }) => timers.now())
    const two = await settleIn(town, schedules, { wrongBy: hour })
    for (const step of [10 * minute, -7 * minute, hour, -hour, 1, -1, 2 * hour]) {
      clock.move(step)
      await clock.runtime.advance('25s')
    }
    const made = await one.made()
    expect(made.length).toBeGreaterThan(700)
    const last = Date.parse(made.at(-1) ?? '')
    await checkSlots(two, [begin, last], every)
  })
})

/** Dies at its n-th write: before the commit, which then does not happen, or after it, so that nobody is told. */
const mortal = (inner: Database, n: number, when: 'before' | 'after'): Database => {
  const process = losable(inner)
  const { database } = process
  let writes = 0
  return wrap(database, {
    transact: async (work, options) => {
      writes += 1
      if (writes !== n) return database.transact(work, options)
      if (when === 'after') await inner.transact(work, options)
      process.lose()
      throw new ThenceError('OUTCOME_UNKNOWN', 'The process was killed.')
    },
  })
}

const recorded = async ({ app }: Night, of: string): Promise<number> =>
  (await madeIn(app)).filter((one) => one.of === of).length

describe.each(towns)('a cancel that races a firing on $name', ({ make }) => {
  const race = async (town: Town, work: (one: Night, n: number) => Promise<void>) => {
    const one = await settleIn(town, [], { around: slowly })
    const two = await settleIn(town, [], { around: slowly })
    for (let n = 0; n < 40; n += 1) await work(n % 2 === 0 ? one : two, n)
    return one
  }

  /** Lets a command fall due while `act` is done about it, each time at another moment. */
  const meet = async <T>(
    { app, runtime }: Night,
    n: number,
    act: (id: string) => Promise<T>,
  ): Promise<T> => {
    const { id } = await app.send(Make({ of: `${n}`, manual: true }), { in: 200 })
    // Until both have seen when it is due, however slowly they read.
    for (let turns = 0; turns < 50; turns += 1) await runtime.advance(1)
    const { promise, resolve } = Promise.withResolvers<T>()
    runtime.after(140 + 5 * n, () => void act(id).then(resolve))
    await runtime.advance('2s')
    return promise
  }

  it('one of them has its way, and the caller is told which', async () => {
    const town = make()
    const told: boolean[] = []
    const one = await race(town, async (night, n) => {
      const cancelled = await meet(night, n, (id) => night.app.schedules.cancel(id))
      told.push(cancelled)
      expect(await recorded(night, `${n}`)).toBe(cancelled ? 0 : 1)
    })
    expect(new Set(told)).toEqual(new Set([true, false]))
    expect(await madeIn(one.app)).toHaveLength(told.filter((cancelled) => !cancelled).length)
  })

  it('of two cancels one has its way', async () => {
    const night = await settleIn(make(), [])
    const { id } = await night.app.send(Make({ of: 'x', manual: true }), { in: '1h' })
    const cancel = () => night.app.schedules.cancel(id)
    expect((await Promise.all([cancel(), cancel()])).toSorted()).toEqual([false, true])
  })

  it('an operator who comes too late gets an error that says when it was fired', async () => {
    const town = make()
    const codes: unknown[] = []
    await race(town, async (night, n) => {
      const on = { database: night.app.database, runtime: night.runtime, actor: 'ann' }
      const code = await meet(night, n, (id) =>
        cancelSchedule(on, id).then(
          () => 'cancelled',
          (error: unknown) => (error as { code?: unknown }).code,
        ),
      )
      codes.push(code)
      expect(await recorded(night, `${n}`)).toBe(code === 'cancelled' ? 0 : 1)
    })
    expect(new Set(codes)).toEqual(new Set(['cancelled', 'STATE_INVALID']))
  })

  it('fired by hand at the moment when it is due, it is sent once', async () => {
    await race(make(), async (night, n) => {
      await meet(night, n, (id) => night.app.schedules.fire(id))
      expect(await recorded(night, `${n}`)).toBe(1)
    })
  })

  it('a schedule sends nothing after the cancel was answered', async () => {
    for (let n = 0; n < 8; n += 1) {
      const town = make()
      const one = await settleIn(town, [often()], { around: slowly })
      const two = await settleIn(town, [often()], { around: slowly })
      await one.runtime.advance(1996 + n)
      expect(await one.runtime.until(two.app.schedules.cancel('nightly'))).toBe(true)
      const sent = await madeIn(one.app)
      await one.advance('5s')
      expect(await madeIn(two.app)).toEqual(sent)
      await one.stop()
      await two.stop()
    }
  })
})
