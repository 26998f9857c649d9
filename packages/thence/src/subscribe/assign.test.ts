/** Tests of who runs which partition. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { assign } from './assign.ts'

const names = fc.uniqueArray(fc.string({ minLength: 1 }), { minLength: 1, maxLength: 8 })
const partitions = fc.integer({ min: 1, max: 64 })

test('every partition is given to one member, and nobody has more than a fair share', () => {
  fc.assert(
    fc.property(fc.string(), partitions, names, (subscription, count, members) => {
      const shares = assign(subscription, count, members)
      expect(shares).toHaveLength(count)
      const loads = members.map((member) => shares.filter((one) => one === member).length)
      expect(loads.reduce((sum, load) => sum + load, 0)).toBe(count)
      expect(Math.max(...loads)).toBeLessThanOrEqual(Math.ceil(count / members.length))
    }),
  )
})

test('all who see the same members say the same, in whatever order they see them', () => {
  fc.assert(
    fc.property(partitions, names, (count, members) => {
      expect(assign('s', count, members.toReversed())).toEqual(assign('s', count, members))
    }),
  )
})

test('where there is nobody, nobody is named', () => {
  expect(assign('s', 2, [])).toEqual([undefined, undefined])
})

test('subscriptions of one partition are spread over the members', () => {
  const owners = Array.from({ length: 100 }, (_, index) => assign(`s${index}`, 1, ['a', 'b'])[0])
  const first = owners.filter((owner) => owner === 'a').length
  expect(first).toBeGreaterThan(25)
  expect(first).toBeLessThan(75)
})

test('a member that comes takes its share, and few partitions move between the others', () => {
  const before = assign('s', 64, ['a', 'b', 'c'])
  const after = assign('s', 64, ['a', 'b', 'c', 'd'])
  const moved = before.filter((owner, index) => owner !== after[index] && after[index] !== 'd')
  expect(after.filter((owner) => owner === 'd')).toHaveLength(16)
  expect(moved.length).toBeLessThan(16)
})
