/** Tests of what is sent and what is skipped, compared with counting slots one by one. */
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { CatchUp } from './catch-up.ts'
import { catchUps, mostMissed, onTime, planSlots } from './catch-up.ts'
import { CronSlots } from './cron.ts'

const minute = 60_000
/** Reading a calendar of a zone takes its time on a busy machine. */
const patient = { timeout: 30_000 }
const everyMinute = new CronSlots('It', { cron: '* * * * *', zone: 'UTC' })
const start = Date.UTC(2026, 0, 1)

const plan = (late: number, catchUp: CatchUp, cron: CronSlots = everyMinute) =>
  planSlots(cron, { slot: start, now: start + late, catchUp })

describe('a slot that is fired in time', () => {
  it.each(catchUps)('is sent, and the next one follows from it (%s)', (catchUp) => {
    for (const late of [0, 1, minute - 1])
      expect(plan(late, catchUp)).toEqual({
        send: [start],
        skipped: undefined,
        next: start + minute,
      })
  })

  it('is on time up to a minute after it', () => {
    const hourly = new CronSlots('It', { cron: '0 * * * *', zone: 'UTC' })
    expect(plan(onTime, 'none', hourly).send).toEqual([start])
    expect(plan(onTime + 1, 'none', hourly)).toEqual({
      send: [],
      skipped: { from: start, to: start, slots: 1 },
      next: start + 60 * minute,
    })
    expect(plan(onTime + 1, 'latest', hourly).send).toEqual([start])
  })
})

describe('slots that were missed', () => {
  const late = 10 * minute + 5

  it('are all sent, in order, or only the latest', () => {
    const all = Array.from({ length: 11 }, (_, n) => start + n * minute)
    expect(plan(late, 'all')).toEqual({ send: all, skipped: undefined, next: start + 11 * minute })
    expect(plan(late, 'latest')).toEqual({
      send: [all[10]],
      skipped: { from: start, to: all[9], slots: 10 },
      next: start + 11 * minute,
    })
  })

  it('are skipped by none, but for one that is on time', () => {
    const fives = new CronSlots('It', { cron: '*/5 * * * *', zone: 'UTC' })
    const five = 5 * minute
    expect(plan(late, 'none', fives).send).toEqual([start + 2 * five])
    expect(plan(14 * minute, 'none', fives)).toEqual({
      send: [],
      skipped: { from: start, to: start + 2 * five, slots: 3 },
      next: start + 3 * five,
    })
  })

  it('are bounded: the latest thousand are sent, and what is left out is told', patient, () => {
    const exactly = plan((mostMissed - 1) * minute, 'all')
    expect([exactly.send.length, exactly.skipped]).toEqual([mostMissed, undefined])
    const some = plan(mostMissed * minute, 'all')
    expect(some.send).toHaveLength(mostMissed)
    expect(some.send[0]).toBe(start + minute)
    expect(some.skipped).toEqual({ from: start, to: start, slots: 1 })
    const year = plan(525_600 * minute, 'all')
    expect(year.send).toHaveLength(mostMissed)
    expect(year.send.at(-1)).toBe(start + 525_600 * minute)
    expect(year.skipped).toEqual({ from: start, to: (year.send[0] ?? 0) - minute, slots: null })
    expect(year.next).toBe(start + 525_601 * minute)
  })
})

it('whatever was missed: each slot is sent or skipped, once, and none is early', patient, () => {
  const patterns = fc
    .constantFrom('*/10 * * * *', '30 2 * * *', '0 */3 * * *', '15 1,2,3 * * MON-FRI')
    .map((cron) => new CronSlots('It', { cron, zone: 'Europe/Berlin' }))
  const moment = fc.integer({ min: Date.UTC(2026, 2, 27), max: Date.UTC(2026, 2, 31) })
  const down = fc.integer({ min: 0, max: 86_400_000 })
  fc.assert(
    fc.property(
      fc.record({ cron: patterns, at: moment, late: down, catchUp: fc.constantFrom(...catchUps) }),
      ({ cron, at, late, catchUp }) => {
        const slot = cron.next(at)
        const now = slot + late
        const all: number[] = []
        let next = slot
        for (; next <= now; next = cron.next(next)) all.push(next)
        const found = planSlots(cron, { slot, now, catchUp })
        const skipped = found.skipped?.slots ?? 0
        expect(found.send).toEqual(all.slice(skipped))
        expect(found.next).toBe(next)
        expect(found.skipped).toEqual(
          skipped === 0 ? undefined : { from: slot, to: all[skipped - 1], slots: skipped },
        )
        const sent = { all: [all.length], latest: [1], none: [0, 1] }[catchUp]
        expect(sent).toContain(found.send.length)
      },
    ),
    { numRuns: 40 },
  )
})
