/** The progress bar by a clock that the test sets, on outputs that remember what was written. */
import { describe, expect, test } from 'vitest'
import { count, megabytes, progress } from './progress.ts'
import type { Progress, ProgressOptions } from './progress.ts'

interface Watched extends Progress {
  readonly written: readonly string[]
  at(millis: number): Progress
}

function watched(output: { isTTY: boolean; columns?: number }, total = 1_000): Watched {
  const written: string[] = []
  let now = 50
  const options: ProgressOptions = {
    label: 'orders',
    total,
    output: { ...output, write: (text) => written.push(text) },
    now: () => now,
  }
  const shown = progress(options)
  return {
    ...shown,
    written,
    at(millis) {
      now = 50 + millis
      return shown
    },
  }
}

describe('on a terminal', () => {
  test('a bar redraws itself, ten times a second at most', () => {
    const bar = watched({ isTTY: true, columns: 200 })
    bar.at(99).update(1)
    expect(bar.written).toEqual([])
    bar.at(2_000).update(250, '12 parked')
    bar.at(2_050).update(260)
    expect(bar.written).toEqual([
      '\r\u001B[Korders ██████░░░░░░░░░░░░░░░░░░ 25 %  250 of 1,000  125/s  0:06 left  12 parked',
    ])
  })

  test('the end shows the time it took and ends the line, once', () => {
    const bar = watched({ isTTY: true, columns: 200 })
    bar.at(65_000).update(1_000)
    bar.at(65_000).stop()
    bar.at(65_000).stop()
    bar.at(99_000).update(1)
    const last = '\r\u001B[Korders ████████████████████████ 100 %  1,000 of 1,000  15/s  in 1:05'
    expect(bar.written).toEqual([last, last, '\n'])
  })

  test('the bar is never wider than the terminal', () => {
    const bar = watched({ isTTY: true, columns: 30 })
    bar.at(1_000).update(10)
    expect(bar.written[0]).toHaveLength('\r\u001B[K'.length + 29)
  })
})

describe('without a terminal', () => {
  test('a plain line comes every five seconds, and one at the end', () => {
    const lines = watched({ isTTY: false })
    for (let second = 1; second <= 11; second += 1) lines.at(second * 1_000).update(second * 10)
    lines.at(12_000).stop()
    expect(lines.written).toEqual([
      'orders 5 %  50 of 1,000  10/s  1:35 left\n',
      'orders 10 %  100 of 1,000  10/s  1:30 left\n',
      'orders 11 %  110 of 1,000  9.2/s  1:38 left\n',
    ])
  })
})

test('nothing done yet has no time left to tell', () => {
  const lines = watched({ isTTY: false })
  lines.at(5_000).update(0)
  expect(lines.written).toEqual(['orders 0 %  0 of 1,000  0/s  ? left\n'])
})

test('a job of nothing is done at once', () => {
  const lines = watched({ isTTY: false }, 0)
  lines.at(0).stop()
  expect(lines.written).toEqual(['orders 100 %  0 of 0  0/s  in 0:00\n'])
  expect(() => watched({ isTTY: false }, Number.NaN)).toThrow(RangeError)
})

test('amounts are written for people', () => {
  expect([count(10_950), count(1_234_567.8), count(0.25), count(9)]).toEqual([
    '10,950',
    '1,234,568',
    '0.3',
    '9',
  ])
  expect(megabytes(7_560_905)).toBe('7.6 MB')
})
