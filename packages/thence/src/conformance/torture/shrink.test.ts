import { expect, test } from 'vitest'
import { fewest } from './shrink.ts'

const numbers = Array.from({ length: 20 }, (_, index) => index)

test('what is left is enough, and nothing of it can be left out', async () => {
  const breaks = async (some: readonly number[]) => some.includes(3) && some.includes(17)
  expect(await fewest(numbers, breaks)).toEqual([3, 17])
})

test('nothing is left of what breaks without any step', async () => {
  expect(await fewest(numbers, async () => true)).toEqual([])
})

test('all is left where every step is needed', async () => {
  const breaks = async (some: readonly number[]) => some.length === numbers.length
  expect(await fewest(numbers, breaks)).toEqual(numbers)
})
