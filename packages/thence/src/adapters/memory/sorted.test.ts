/** A sorted list is at every moment what sorting all of it would give. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { Sorted } from './sorted.ts'

const byNumber = (left: number, right: number): number => left - right

test('it holds what was added and not removed, in order', () => {
  const acts = fc.array(fc.tuple(fc.boolean(), fc.integer({ min: 0, max: 20 })), { maxLength: 80 })
  fc.assert(
    fc.property(acts, fc.nat(25), fc.nat(25), (all, limit, below) => {
      const sorted = new Sorted(byNumber, 4)
      const held = new Set<number>()
      for (const [comes, item] of all) {
        if (!comes) sorted.remove(item)
        else if (!held.has(item)) sorted.add(item)
        if (comes) held.add(item)
        else held.delete(item)
        const expected = [...held].toSorted(byNumber)
        expect(sorted.head(100, () => true)).toEqual(expected)
        expect(sorted.first).toBe(expected[0])
        expect(sorted.head(limit, (one) => one < below)).toEqual(
          expected.filter((one) => one < below).slice(0, limit),
        )
      }
    }),
  )
})
