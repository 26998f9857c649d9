/** Tests of what a process knows of the end of the log, also where several have positions at once. */
import { expect, test } from 'vitest'
import { LogEnd } from './log-end.ts'

const commit = (from: number, to: number, messages = to - from + 1) => ({
  from,
  to,
  types: new Map([['Rung', messages]]),
})

test('what this process adds itself, one behind the other, is no news', () => {
  const end = new LogEnd()
  end.committed(commit(1, 2))
  end.committed(commit(3, 3))
  expect([end.known, end.heard(3), end.read(3)]).toEqual([3, false, false])
})

test('what others add is news once', () => {
  const end = new LogEnd()
  expect([end.heard(4), end.heard(4), end.read(4), end.read(6), end.known]).toEqual([
    true,
    false,
    false,
    true,
    6,
  ])
})

test.each([
  ['behind an open append', commit(7, 7)],
  ['around an open append', commit(6, 8, 2)],
])('what was committed %s is news again when that has ended', (_where, own) => {
  const end = new LogEnd()
  end.read(5)
  end.committed(own)
  expect([end.known, end.heard(5), end.heard(own.to), end.heard(own.to)]).toEqual([
    own.to,
    false,
    true,
    false,
  ])
  const other = new LogEnd()
  other.read(5)
  other.committed(own)
  expect([other.read(5), other.read(own.to)]).toEqual([false, true])
})

test('what is read of a log that was put back is news', () => {
  const end = new LogEnd()
  end.read(9)
  expect([end.read(3), end.known]).toEqual([true, 3])
})
