/**
 * Tests of slots: ten years in six zones, compared with what a calendar of the zone says minute by minute, and the rules
 * for hours that are left out or come twice.
 */
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { CronSlots } from './cron.ts'
import { localTime } from './local-time.ts'

const minute = 60_000
const hour = 60 * minute
const day = 24 * hour

const zones = [
  'Europe/Berlin',
  'America/New_York',
  'America/St_Johns',
  'Australia/Lord_Howe', // its summer time is half an hour
  'Asia/Kathmandu', // an odd offset, and no summer time
  'Africa/Casablanca', // back and forth around a month that moves
] as const

const from = Date.UTC(2025, 0, 1)
const until = Date.UTC(2035, 0, 1)

const slotsOf = (cron: string, zone: string): CronSlots => new CronSlots('It', { cron, zone })

function* walk(slots: CronSlots, after: number, end: number): Generator<number> {
  for (let slot = slots.next(after); slot < end; slot = slots.next(slot)) yield slot
}

/** What the clock of the zone shows, as if it were UTC. */
const shown = (time: number, zone: string): number =>
  Date.parse(`${localTime(time, zone).slice(0, 19)}Z`)

const offset = (time: number, zone: string): number => shown(time, zone) - time

/** The moments at which the clock of the zone is set. */
const changes = (zone: string): readonly number[] => {
  const found: number[] = []
  for (let time = from; time < until; time += day) {
    if (offset(time, zone) === offset(time + day, zone)) continue
    let [low, high] = [time, time + day]
    while (high - low > minute) {
      const middle = low + Math.floor((high - low) / 2 / minute) * minute
      if (offset(middle, zone) === offset(low, zone)) low = middle
      else high = middle
    }
    found.push(high)
  }
  return found
}

/** When the clock first shows `wanted`, or, if it never does, the first moment after the gap. */
const firstShown = (wanted: number, zone: string): number => {
  for (let time = wanted - 15 * hour; ; time += 15 * minute) {
    if (shown(time + 15 * minute, zone) < wanted) continue
    for (let exact = time; ; exact += minute) if (shown(exact, zone) >= wanted) return exact
  }
}

describe.each(zones)('in %s', { timeout: 30_000 }, (zone) => {
  it.each([
    ['30 2 * * *', 2, 30],
    ['15 0 * * *', 0, 15],
  ] as const)(
    'ten years of %s have one slot each day, at its first time or after the gap',
    (cron, hours, minutes) => {
      const slots = [...walk(slotsOf(cron, zone), firstShown(from, zone) - 1, until)]
      const days = Math.round((until - from) / day)
      expect(Math.abs(slots.length - days)).toBeLessThanOrEqual(1)
      const near = new Set(changes(zone).map((time) => Math.floor(shown(time, zone) / day)))
      for (const slot of slots) {
        const today = Math.floor(shown(slot, zone) / day)
        const wanted = today * day + hours * hour + minutes * minute
        const expected = near.has(today) ? firstShown(wanted, zone) : wanted - offset(slot, zone)
        expect(new Date(slot).toISOString()).toBe(new Date(expected).toISOString())
      }
      expect(new Set(slots.map((slot) => Math.floor(shown(slot, zone) / day))).size).toBe(
        slots.length,
      )
    },
  )

  it('steps go on through every change of the clock, and name what it shows', () => {
    const quarters = slotsOf('*/15 * * * *', zone)
    for (const change of changes(zone)) {
      const expected: number[] = []
      for (let time = change - 3 * hour; time < change + 3 * hour; time += minute)
        if (new Date(shown(time, zone)).getUTCMinutes() % 15 === 0) expected.push(time)
      expect([...walk(quarters, change - 3 * hour - 1, change + 3 * hour)]).toEqual(expected)
    }
  })

  it('looking back finds the slots of looking ahead, from wherever one looks', () => {
    const some = fc.constantFrom(
      '*/15 * * * *',
      '30 2 * * *',
      '0 1-3 * * *',
      '5,35 0,2 * * SUN',
      '0 0 1 * *',
    )
    const around = fc.constantFrom(...changes(zone), Date.UTC(2030, 5, 1))
    const shift = fc.integer({ min: -2 * day, max: 2 * day })
    fc.assert(
      fc.property(
        fc.record({ cron: some, time: around, by: shift, limit: fc.integer({ min: 1, max: 60 }) }),
        ({ cron, time, by, limit }) => {
          const slots = slotsOf(cron, zone)
          const end = time + by
          const begin = end - 2 * day
          const ahead = [...walk(slots, begin - 1, end + 1)]
          const back = slots.last(limit, end).filter((slot) => slot >= begin)
          expect(back).toEqual(ahead.slice(-limit))
          expect(slots.between(begin - 1, end, limit)).toEqual(ahead.slice(0, limit))
          for (const slot of ahead) expect(slots.next(slot - 1)).toBe(slot)
        },
      ),
      { numRuns: 15 },
    )
  })
})

describe('the hours that are left out or come twice', () => {
  const run = (cron: string, after: string, count: number): readonly string[] => {
    const slots = slotsOf(cron, 'Europe/Berlin')
    const found: string[] = []
    let time = Date.parse(after)
    while (found.length < count) {
      time = slots.next(time)
      found.push(localTime(time, 'Europe/Berlin').slice(5, 22))
    }
    return found
  }

  it('a fixed time in the gap is the first moment after it', () => {
    expect(run('30 2 * * *', '2026-03-28T12:00:00Z', 2)).toEqual([
      '03-29T03:00:00+02',
      '03-30T02:30:00+02',
    ])
    expect(run('0 2,3 * * *', '2026-03-28T12:00:00Z', 3)).toEqual([
      '03-29T03:00:00+02',
      '03-30T02:00:00+02',
      '03-30T03:00:00+02',
    ])
  })

  it('a fixed time that comes twice is the first of both', () => {
    expect(run('30 2 * * *', '2026-10-24T12:00:00Z', 2)).toEqual([
      '10-25T02:30:00+02',
      '10-26T02:30:00+01',
    ])
  })

  it('steps leave the gap out and have both of what comes twice', () => {
    expect(run('*/30 * * * *', '2026-03-29T00:29:00Z', 3)).toEqual([
      '03-29T01:30:00+01',
      '03-29T03:00:00+02',
      '03-29T03:30:00+02',
    ])
    expect(run('0 * * * *', '2026-10-24T23:30:00Z', 4)).toEqual([
      '10-25T02:00:00+02',
      '10-25T02:00:00+01',
      '10-25T03:00:00+01',
      '10-25T04:00:00+01',
    ])
  })
})

describe('a pattern that is none', () => {
  it.each([
    ['61 * * * *', 'UTC'],
    ['often', 'UTC'],
    ['', 'UTC'],
    ['* * * *', 'UTC'],
    ['* * * * * * 2030', 'UTC'],
    ['0 0 30 2 *', 'UTC'],
    ['2026-01-01T00:00:00', 'UTC'],
    ['0 2 * * *', 'Europe/Nowhere'],
    ['0 2 * * *', ''],
  ])('%j in %j is refused', (cron, zone) => {
    expect(() => slotsOf(cron, zone)).toThrow(expect.objectContaining({ code: 'CONFIG_INVALID' }))
  })

  it('seconds and names are none of those', () => {
    expect(slotsOf('*/20 * * * * *', 'UTC').next(1000)).toBe(20_000)
    expect(slotsOf('@daily', 'UTC').next(1000)).toBe(day)
    expect(slotsOf('0 2 * * MON#2', 'UTC').next(from)).toBe(Date.UTC(2025, 0, 13, 2))
  })
})

it.each([
  ['0 0 L * *', '2025-01-31'], // the last day
  ['0 0 15W 2 *', '2025-02-14'], // the 15th is a Saturday
  ['0 0 * * FRI#L', '2025-01-31'], // the last Friday
  ['0 0 13 * FRI', '2025-01-03'], // either will do
  ['0 0 13 * +FRI', '2025-06-13'], // both
  ['0 0 1 MAR *', '2025-03-01'],
  ['0 0 * * 7', '2025-01-05'],
  ['@weekly', '2025-01-05'],
  ['@monthly', '2025-02-01'],
  ['@yearly', '2026-01-01'],
])('%s names %s first', (cron, first) => {
  expect(slotsOf(cron, 'UTC').next(from)).toBe(Date.parse(`${first}T00:00Z`))
})
