/** Tests of how many messages are taken at once. */
import { expect, test } from 'vitest'
import type { StoredMessage } from '../ports/events.ts'
import { BatchSize } from './batch-size.ts'

const page = (count: number, length: number): StoredMessage[] =>
  Array.from({ length: count }, () => ({ data: 'x'.repeat(length) }) as StoredMessage)

test('full pages make the next one larger, up to four times; a short one takes it back', () => {
  const batch = new BatchSize(100)
  const sizes = [1, 2, 3].map(() => {
    batch.learn(page(batch.size, 10), true)
    return batch.size
  })
  expect(sizes).toEqual([200, 400, 400])
  batch.learn(page(5, 10), false)
  expect(batch.size).toBe(100)
})

test('large messages keep a page small, and there is always room for one', () => {
  const batch = new BatchSize(100)
  batch.learn(page(100, 400_000), true)
  expect(batch.size).toBe(10)
  batch.learn(page(1, 8_000_000), true)
  expect(batch.size).toBe(1)
})
