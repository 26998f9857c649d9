/** Tests of what several processes measured, told as if they were one. */
import { expect, test } from 'vitest'
import type { Reading } from './board.ts'
import { Board, combine, figuresOf } from './board.ts'

/** What a process has measured that did what it is told to, as it comes back from the store. */
const measured = (covers: number, does: (board: Board) => void): Reading => {
  const board = new Board()
  does(board)
  return JSON.parse(JSON.stringify({ covers, groups: board.read('total') })) as Reading
}

const handle = (board: Board, labels: readonly [string, string], took: number): void => {
  const messages = board.messages.of(...labels)
  messages.count('handled')
  messages.record('took', took)
}

test('rows are added up where all of their labels are the same, and stay apart where one is not', () => {
  const one = measured(1000, (board) => {
    handle(board, ['mail', 'Placed'], 1)
    handle(board, ['mail', 'Paid'], 2)
    handle(board, ['stock', 'Placed'], 4)
  })
  const other = measured(1000, (board) => {
    handle(board, ['mail', 'Paid'], 8)
    handle(board, ['mail', 'Sent'], 16)
  })
  const { messages } = figuresOf(combine([one, other]))
  expect(
    messages.map(({ subscription, type, handled, took }) => [
      `${subscription} ${type}`,
      handled,
      took.sum,
      took.max,
    ]),
  ).toEqual([
    ['mail Paid', 2, 10, 8],
    ['mail Placed', 1, 1, 1],
    ['mail Sent', 1, 16, 16],
    ['stock Placed', 1, 4, 4],
  ])
})

test('groups do not run into each other, and one that only one process knows is there', () => {
  const one = measured(1000, (board) => {
    board.appended.of('Placed').count('messages', 2)
    board.commands.of('order', 'Place').count('decided', 3)
    board.leases.of().count('taken')
  })
  const { commands: _, ...groups } = measured(1000, (board) => {
    board.appended.of('Placed').count('messages', 5)
    board.leases.of().count('taken', 7)
  }).groups
  const figures = figuresOf(combine([one, { covers: 1000, groups }]))
  expect(figures.appended).toEqual([{ type: 'Placed', messages: 7 }])
  expect(figures.commands).toMatchObject([{ aggregate: 'order', type: 'Place', decided: 3 }])
  expect(figures.leases).toEqual({ taken: 8, released: 0, lost: 0 })
})

test('together they cover as much as the longest of them, and nothing if there are none', () => {
  const of = (covers: number): Reading => measured(covers, () => undefined)
  expect(combine([of(20), of(70), of(50)]).covers).toBe(70)
  const none = combine([])
  expect(none.covers).toBe(0)
  expect(figuresOf(none)).toMatchObject({ messages: [], appends: { messages: 0, commits: 0 } })
})

test('what is combined can be combined again, and says the same in whatever order', () => {
  const parts = ['a', 'b', 'c'].map((type, index) =>
    measured(index, (board) => {
      handle(board, ['mail', type], index)
      handle(board, ['mail', 'all'], index)
    }),
  )
  const [first, ...others] = parts as [Reading, ...Reading[]]
  const whole = figuresOf(combine(parts))
  expect(figuresOf(combine([first, combine(others)]))).toEqual(whole)
  expect(figuresOf(combine(parts.toReversed()))).toEqual(whole)
  expect(whole.messages.map(({ handled }) => handled)).toEqual([1, 3, 1, 1])
})
