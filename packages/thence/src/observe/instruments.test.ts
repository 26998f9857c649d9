/** Tests of counters and histograms over two spans of time: nothing is counted twice, and nothing is lost by a rotation. */
import { expect, test } from 'vitest'
import type { Distribution } from './histogram.ts'
import type { Measured } from './instruments.ts'
import { addUp, Instruments, told } from './instruments.ts'

interface Counts {
  readonly done: number
  readonly took: Distribution
}

const make = () => new Instruments<Counts>({ done: 'counter', took: 'histogram' })

const note = (instruments: Instruments<Counts>, value: number): void => {
  instruments.count('done', value)
  instruments.record('took', value)
}

/** Counted, how many values there are, their sum, and the largest. */
const seen = (measured: Measured): readonly unknown[] => {
  const { done, took } = told(measured) as unknown as Counts
  return [done, took.count, took.sum, took.max]
}

test('what is recent came since the rotation before the last one; the total is of everything', () => {
  const one = make()
  const spans = () => [seen(one.read('recent')), seen(one.read('total'))]
  note(one, 8)
  expect(spans()).toEqual([
    [8, 1, 8, 8],
    [8, 1, 8, 8],
  ])
  one.rotate()
  note(one, 2)
  expect(spans()).toEqual([
    [10, 2, 10, 8],
    [10, 2, 10, 8],
  ])
  one.rotate()
  note(one, 1)
  expect(spans()).toEqual([
    [3, 2, 3, 2],
    [11, 3, 11, 8],
  ])
  one.rotate()
  one.rotate()
  expect(spans()).toEqual([
    [0, 0, 0, 0],
    [11, 3, 11, 8],
  ])
  note(one, 4)
  expect(spans()).toEqual([
    [4, 1, 4, 4],
    [15, 4, 15, 8],
  ])
})

test('added up, several are as one; what only some of them have counts too', () => {
  const [one, other] = [make(), make()]
  note(one, 3)
  note(other, 5)
  other.count('done')
  expect(seen(addUp([one.read('total'), other.read('total')]))).toEqual([9, 2, 8, 5])
  const more = { ...other.read('total'), late: 2 }
  expect(addUp([one.read('total'), more])).toMatchObject({ done: 9, late: 2 })
})
