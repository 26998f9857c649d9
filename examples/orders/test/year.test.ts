/** The whole year as its users start it, every figure against the oracle and the published sums. */
import { describe, expect, test } from 'vitest'
import { absent, skipReason, YEAR } from '../data/real-data.ts'
import { fileSource } from '../intake/source.ts'
import { lastJson, run } from './child.ts'
import { expectedBooks } from './oracle.ts'
import { temporaryPath } from './temporary.ts'

describe.skipIf(absent.length > 0)(`the whole year${skipReason}`, () => {
  test('comes to the published sums, in bounded memory', { timeout: 400_000 }, async () => {
    const db = temporaryPath('year.db')
    const ended = await run('--orders', YEAR, '--once', '--json', '--db', db)
    expect(ended.code).toBe(0)
    const found = lastJson(ended)
    expect(found).toMatchObject(await expectedBooks(await fileSource(YEAR), 1))
    expect(found).toMatchObject({
      rows: 541_909,
      invoices: 25_900,
      orders: 19_959,
      cancellations: 3_836,
      badDebts: 3,
      stockAdjustments: 1_336,
      zeroPrice: 766,
      netMills: 9_747_747_934,
      open: 0,
      deadLetters: 0,
    })
    // What is alive is a tenth of it, and does not grow with the file; the rest is garbage.
    expect(found['peakMemoryBytes']).toBeLessThan(800e6)
  })
})
