/** Tests of what is counted together when there are too many things to count. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { Family } from './family.ts'
import type { Distribution } from './histogram.ts'
import { addUp, told } from './instruments.ts'

interface Counted {
  readonly times: number
}

const family = (): Family<Counted> => new Family<Counted>({ times: 'counter' })

const times = (measured: Readonly<Record<string, unknown>>): number => Number(measured['times'])

test('every label has its own count, until there are two hundred', () => {
  const counted = family()
  for (let type = 0; type < 250; type += 1) counted.of('mail', `T${type}`).count('times')
  counted.of('mail', 'T1').count('times')
  const rows = counted.read('total')
  expect(rows).toHaveLength(201)
  const of = (label: string) => rows.find(({ labels }) => labels[1] === label)?.measured
  expect([of('T1'), of('T199'), of('T200'), of('other')]).toEqual([
    { times: 2 },
    { times: 1 },
    undefined,
    { times: 50 },
  ])
})

test('whatever occurs, nothing is lost and there are never more than four hundred rows', () => {
  const labels = fc.record({ first: fc.nat(30), second: fc.nat(600) })
  fc.assert(
    fc.property(fc.array(labels, { maxLength: 2000 }), (list) => {
      const counted = family()
      for (const { first, second } of list) counted.of(`s${first}`, `t${second}`).count('times')
      const rows = counted.read('total')
      expect(rows.length).toBeLessThanOrEqual(401)
      expect(rows.reduce((sum, { measured }) => sum + times(measured), 0)).toBe(list.length)
    }),
    { numRuns: 50 },
  )
})

test('too many first labels are counted together too', () => {
  const counted = family()
  for (let name = 0; name < 1000; name += 1) counted.of(`s${name}`, 't').count('times')
  const rows = counted.read('total')
  expect(rows.length).toBeLessThanOrEqual(401)
  expect(rows.some(({ labels }) => labels[0] === 'other')).toBe(true)
})

test('what is recent is what came since the rotation before the last', () => {
  const counted = family()
  const both = () =>
    (['total', 'recent'] as const).map((span) => counted.read(span)[0]?.measured['times'])
  counted.of('a').count('times', 5)
  expect(both()).toEqual([5, 5])
  counted.rotate()
  counted.of('a').count('times', 2)
  expect(both()).toEqual([7, 7])
  counted.rotate()
  expect(both()).toEqual([7, 2])
  counted.rotate()
  expect(both()).toEqual([7, 0])
})

test('histograms rotate as counters do, and their maximum with them', () => {
  const spread = new Family<{ readonly took: Distribution }>({ took: 'histogram' })
  const both = () =>
    (['total', 'recent'] as const).map((span) => {
      const measured = spread.read(span)[0]?.measured ?? {}
      return told(measured)['took']
    })
  for (const value of [100, 3, 2]) {
    spread.of('a').record('took', value)
    spread.rotate()
  }
  expect(both()).toMatchObject([
    { count: 3, sum: 105, max: 100 },
    { count: 1, sum: 2, max: 2 },
  ])
})

test('what another process measured adds up, fields that only one of them knows too', () => {
  expect(
    addUp([
      { times: 2, old: 1 },
      { times: 3, fresh: 4 },
    ]),
  ).toEqual({ times: 5, old: 1, fresh: 4 })
})
