/** Seeded chance: the same again, evenly spread, and pinned so that no change goes unseen. */
import { describe, expect, test } from 'vitest'
import { chance, random } from './random.ts'

describe('a sequence', () => {
  test('is the same for the same seed and keys, else another', () => {
    const first = (seed: number, ...keys: string[]): number => random(seed, ...keys).next()
    expect(first(1, 'a')).toBe(first(1, 'a'))
    const others = [first(1, 'a'), first(2, 'a'), first(1, 'b'), first(1), first(1, 'a', '')]
    expect(new Set(others).size).toBe(others.length)
  })

  test('is spread evenly over whole numbers, ends included', () => {
    const rng = random(7)
    const seen = Array.from({ length: 10 }, () => 0)
    for (let draw = 0; draw < 100_000; draw += 1) {
      const at = rng.int(0, 9)
      seen[at] = (seen[at] ?? 0) + 1
    }
    expect(Math.min(...seen)).toBeGreaterThan(9_600)
    expect(Math.max(...seen)).toBeLessThan(10_400)
  })

  test('cannot pick from nothing', () => {
    expect(() => random(1).pick([])).toThrow(RangeError)
  })
})

describe('a draw by keys', () => {
  test('depends on them alone, whatever was drawn before', () => {
    const drawn = ['1', '2', '3'].map((order) => chance(1, 'payment', order))
    expect(['3', '2', '1'].map((order) => chance(1, 'payment', order))).toEqual(drawn.toReversed())
  })

  test('keeps its keys apart', () => {
    expect(chance(1, 'ab', 'c')).not.toBe(chance(1, 'a', 'bc'))
    expect(chance(1, '2')).not.toBe(chance(12))
  })

  test('is below a share about that often', () => {
    let below = 0
    for (let order = 0; order < 100_000; order += 1) {
      if (chance(3, 'stock', String(order)) < 0.05) below += 1
    }
    expect(below).toBeGreaterThan(4_750)
    expect(below).toBeLessThan(5_250)
  })
})

test('the numbers are what they always were', () => {
  const rng = random(1)
  expect([rng.int(0, 999), rng.int(0, 999), rng.int(0, 999)]).toMatchInlineSnapshot(`
    [
      188,
      241,
      493,
    ]
  `)
  expect(Math.floor(chance(1, 'payment', '536365') * 1e6)).toMatchInlineSnapshot(`703776`)
})
