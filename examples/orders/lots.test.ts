import { expect, test } from 'vitest'
import { itemsOfLots, lotOf, lotsMills, lotsOf, partsOf } from './lots.ts'

const line = (stockCode: string, quantity: number, priceMills: number) => ({
  stockCode,
  description: '',
  quantity,
  priceMills,
})

test('a lot is a stock code at a price, even if the code holds the sign between them', () => {
  expect(partsOf(lotOf({ stockCode: 'A@B', priceMills: 1250 }))).toEqual({
    stockCode: 'A@B',
    priceMills: 1250,
  })
})

test('equal lots add up, prices stay apart', () => {
  const lots = lotsOf([line('A', 1, 100), line('A', 2, 100), line('A', 5, 90)])
  expect(lots).toEqual({ 'A@100': 3, 'A@90': 5 })
  expect(itemsOfLots(lots)).toEqual({ A: 8 })
  expect(lotsMills(lots)).toBe(750)
})

test('nothing is worth zero, not minus zero, which could not be stored', () => {
  expect(lotsMills({ 'A@0': -1 })).toBe(0)
})
