/** Tests of what an operator is told to run. */
import { expect, test } from 'vitest'
import { endOf } from './order.ts'

test.each([
  ['a session', endOf(7, null), 'SELECT pg_terminate_backend(7)'],
  ['a prepared transaction', endOf(null, 'a'), "ROLLBACK PREPARED 'a'"],
  ['one with a quote', endOf(null, "it's"), "ROLLBACK PREPARED 'it''s'"],
])('what ends %s can be run as it stands', (_, told, text) => {
  expect(told).toBe(text)
})
