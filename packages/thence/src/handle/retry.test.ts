/** Tests of retry policies as they are written. */
import { expect, test } from 'vitest'
import { retryPolicy } from './retry.ts'

test('waits are milliseconds or text', () => {
  expect(retryPolicy('It')).toEqual({ attempts: 10, base: 200, cap: 60_000 })
  expect(retryPolicy('It', { attempts: 3, base: '5s', cap: '2m' })).toEqual({
    attempts: 3,
    base: 5000,
    cap: 120_000,
  })
})

test.each([
  { attempts: 0 },
  { attempts: Number.NaN },
  { base: -1 },
  { cap: Infinity },
  { base: 'soon' as '1s' },
])('%j is refused', (options) => {
  expect(() => retryPolicy('It', options)).toThrow(
    expect.objectContaining({ code: 'CONFIG_INVALID' }),
  )
})
