/** Money must survive the way from text to mills and back unchanged. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { formatMills, parseMills } from './money.ts'

test.for([
  ['2.55', 2_550],
  ['0', 0],
  ['0.001', 1],
  ['-11062.06', -11_062_060],
  ['1.1', 1_100],
  ['999999999999.999', 999_999_999_999_999],
] as const)('%s is %d mills', ([text, mills]) => {
  expect(parseMills(text)).toBe(mills)
})

test('minus zero is zero', () => {
  expect(Object.is(parseMills('-0.00'), 0)).toBe(true)
})

test.for(['', ' 1', '1.', '.5', '1.2345', '1e3', '1,000', '+1', '--1', '0x1', 'Infinity', '1 '])(
  '"%s" is no amount',
  (text) => {
    expect(parseMills(text)).toBeUndefined()
  },
)

test('what is written is read back the same', () => {
  const mills = fc.integer({ min: -(10 ** 15) + 1, max: 10 ** 15 - 1 })
  fc.assert(
    fc.property(mills, (amount) => {
      expect(parseMills(formatMills(amount).replaceAll(',', ''))).toBe(amount)
    }),
  )
})

test('thousands are set apart', () => {
  expect(formatMills(9_747_747_934)).toBe('9,747,747.934')
  expect(formatMills(-1_000)).toBe('-1.000')
  expect(formatMills(-1)).toBe('-0.001')
})
