/** Tests of moments as people write them. */
import { expect, test } from 'vitest'
import { dueOf } from './when.ts'
import type { When } from './when.ts'

test.each([
  [{ at: new Date(1000) }, 1000],
  [{ at: 1000.2 }, 1001],
  [{ at: -5 }, -5],
  [{ at: '2026-03-29T02:00:00Z' }, Date.UTC(2026, 2, 29, 2)],
  [{ at: '2026-03-29T02:00+01:00' }, Date.UTC(2026, 2, 29, 1)],
  [{ at: '2028-02-29T23:59:59.999-10:30' }, Date.UTC(2028, 2, 1, 10, 29, 59, 999)],
  [{ in: '1h' }, { in: 3_600_000 }],
  [{ in: 0 }, { in: 0 }],
] as const)('%j is %j', (when, due) => {
  expect(dueOf('It', when)).toEqual(due)
})

test.each([
  {},
  { at: 1, in: '1h' },
  { at: Number.NaN },
  { at: Infinity },
  { at: 9e15 },
  { at: new Date(Number.NaN) },
  { at: null },
  { at: true },
  { at: [5] },
  { at: 'tomorrow' },
  { at: '2026-03-29T02:00:00' },
  { at: '2026-03-29' },
  { at: '2026-02-30T00:00:00Z' },
  { at: '2026-13-01T00:00:00Z' },
  { at: '2026-03-29T25:00:00Z' },
  { at: '2026-03-29T02:00:00.0005Z' },
  { in: -1 },
  { in: 'soon' },
  { in: Infinity },
  { in: 8e15 },
  'soon',
  null,
])('%j is refused', (when) => {
  expect(() => dueOf('It', when as When)).toThrow(
    expect.objectContaining({ code: 'CONFIG_INVALID' }),
  )
})

test.each([
  [{ in: 'soon' }, 'The delay of Remind, its option in, is "soon"; write milliseconds, or text'],
  [{ at: 'tomorrow' }, 'The time of Remind is "tomorrow"; give { at } as a Date'],
  [{}, 'The time of Remind is neither at nor in; give'],
  [{ in: '1h', att: 1 }, 'The time of Remind is an object with att; give'],
  ['soon', 'The time of Remind is soon; give'],
])('%j is told by what it is the time of', (when, words) => {
  expect(() => dueOf('Remind', when as When)).toThrow(words)
})
