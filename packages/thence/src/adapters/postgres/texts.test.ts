/** Tests of the adapter's texts for a schema with a name of its own. */
import { expect, test } from 'vitest'
import { Texts } from './texts.ts'

test('a text stands for the schema of the store, and those that say a number are not remembered for ever', () => {
  const texts = new Texts('mine')
  for (let timeout = 0; timeout < 5000; timeout += 1)
    expect(texts.of(`BEGIN; SET LOCAL lock_timeout = ${timeout}; SELECT thence.f()`)).toBe(
      `BEGIN; SET LOCAL lock_timeout = ${timeout}; SELECT "mine".f()`,
    )
  expect(texts.known).toBeLessThanOrEqual(1000)
})

test('stores whose long names begin alike have channels of their own, which the server can name', () => {
  const channels = ['a', 'b'].map((end) => new Texts(`${'s'.repeat(62)}${end}`).channel)
  expect(new Set(channels).size).toBe(2)
  expect(channels.map((channel) => channel.length)).toEqual([63, 63])
  expect(new Texts('shop').channel).toBe('thence_shop')
})
