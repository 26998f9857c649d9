/** Tests of how far a subscription is, where this process runs some of its partitions. */
import { expect, test } from 'vitest'
import type { Checkpoint } from '../ports/checkpoints.ts'
import { Places } from './places.ts'

const place = (partition: number, position: number, epoch = 1) => ({
  hold: { partition, epoch },
  position,
  generation: 1,
  rebuildTo: 0,
})

const stored = (
  partition: number,
  position: number,
  change: Partial<Checkpoint> = {},
): Checkpoint => ({
  subscription: 's',
  partition,
  position,
  generation: 1,
  epoch: 1,
  rebuildTo: 0,
  rebuildAsked: false,
  time: 0,
  ...change,
})

test('what runs here counts as it says itself, the rest as it is stored', () => {
  const places = new Places<ReturnType<typeof place>>()
  places.see([stored(0, 5), stored(1, 7, { generation: 3, rebuildTo: 9 })])
  expect(places.least('position', 2)).toBe(5)
  const own = place(0, 20)
  places.begin(own)
  expect(places.least('position', 2)).toBe(7)
  expect(places.least('generation', 2)).toBe(1)
  expect(places.least('rebuildTo', 2)).toBe(0)
  expect([places.size, places.running]).toEqual([1, [own]])
  places.end(own)
  expect([places.size, places.least('position', 2)]).toEqual([0, 5])
})

test('one that nobody has seen is at the beginning, one beyond their number does not count', () => {
  const places = new Places<ReturnType<typeof place>>()
  places.see([stored(0, 5), stored(1, 7), stored(2, 1)])
  expect(places.least('position', 2)).toBe(5)
  expect(places.least('position', 4)).toBe(0)
  places.see([])
  expect(places.least('position', 1)).toBe(0)
})

test('one that ends late does not take away the one that runs in its place', () => {
  const places = new Places<ReturnType<typeof place>>()
  const [first, second] = [place(0, 1, 1), place(0, 2, 2)]
  places.begin(first)
  places.begin(second)
  places.end(first)
  expect(places.running).toEqual([second])
})
