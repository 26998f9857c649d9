/** Settling a row: the compare-and-set of it, and which row of its key is due after it. */
import { strict as assert } from 'node:assert'
import type { Database } from '../ports/database.ts'
import type { Retry } from '../ports/retries.ts'
import { type Case, casesOf } from './case.ts'
import { find, parked, put, queued, row, within } from './retry-samples.ts'

const it = casesOf('retries')

/** At time 500. */
const settle = (database: Database, position: number, attempts: number): Promise<boolean> =>
  within(database, (retries) => retries.settle({ subscription: 'p', position, attempts }, 500))

export const retriesSettling: readonly Case[] = [
  it('settling removes the row and makes the next of its key due', async ({ database }) => {
    await put(database, row(1), queued(2), queued(3), row(4, { key: 'other' }))
    assert.equal(await settle(database, 1, 1), true)
    assert.equal(await find(database, 1), undefined)
    assert.deepEqual(await find(database, 2), queued(2, { state: 'due', due: 500 }))
    assert.deepEqual(await find(database, 3), queued(3))
    assert.deepEqual(await find(database, 4), row(4, { key: 'other' }))
    assert.equal(await settle(database, 2, 0), true)
    assert.equal((await find(database, 3))?.state, 'due')
    assert.equal(await settle(database, 3, 0), true)
    assert.deepEqual(await database.read(({ retries }) => retries.blocked('p', ['k'])), [])
  }),

  it('settling makes the earliest of the waiting due, whatever the order they came in', async ({
    database,
  }) => {
    await put(database, row(1), queued(7), queued(5), queued(6))
    await settle(database, 1, 1)
    const states: (string | undefined)[] = []
    for (const position of [5, 6, 7]) states.push((await find(database, position))?.state)
    assert.deepEqual(states, ['due', 'queued', 'queued'])
  }),

  it('settling with other attempts changes nothing', async ({ database }) => {
    await put(database, row(1, { attempts: 2 }), queued(2))
    for (const attempts of [0, 1, 3]) assert.equal(await settle(database, 1, attempts), false)
    assert.deepEqual(await find(database, 1), row(1, { attempts: 2 }))
    assert.deepEqual(await find(database, 2), queued(2))
  }),

  it('settling what is not there changes nothing', async ({ database }) => {
    await put(database, row(1), queued(2))
    assert.equal(await settle(database, 3, 1), false)
    assert.equal(
      await within(database, (r) => r.settle({ ...row(1), subscription: 'q' }, 1)),
      false,
    )
    assert.equal((await find(database, 2))?.state, 'queued')
  }),

  it('of two that settle the same row, one succeeds', async ({ database }) => {
    await put(database, row(1))
    assert.deepEqual(await Promise.all([settle(database, 1, 1), settle(database, 1, 1)]), [
      true,
      false,
    ])
  }),

  it('settling leaves a next row as it is that is not queued', async ({ database }) => {
    await put(database, row(1), row(2, { due: 900 }), queued(3))
    await settle(database, 1, 1)
    assert.deepEqual(await find(database, 2), row(2, { due: 900 }))
    assert.deepEqual(await find(database, 3), queued(3))
  }),

  it(
    'settling does not wake rows of another key or subscription',
    async ({ database }) => {
      const others = [
        row(1, { key: 'K' }),
        queued(5, { key: 'K' }),
        row(1, { subscription: 'q' }),
        queued(5, { subscription: 'q' }),
      ]
      await put(database, row(2), ...others)
      await settle(database, 2, 1)
      for (const one of others)
        assert.deepEqual(await find(database, one.position, one.subscription), one)
    },
    {},
  ),

  it('what a row waits behind is the first parked one of its key before it', async ({
    database,
  }) => {
    await put(
      database,
      row(1),
      { ...parked(1), key: 'K' },
      { ...parked(1), subscription: 'q' },
      parked(3),
      queued(4),
      parked(5),
      queued(6),
    )
    const before = (position: number, change: Partial<Retry> = {}): Promise<number | undefined> =>
      within(database, async (retries) => {
        const place = { subscription: 'p', key: 'k', position, ...change }
        return (await retries.parkedBefore(place))?.position
      })
    assert.deepEqual(await within(database, (all) => all.parkedBefore(row(4))), parked(3))
    const places = [1, 2, 3, 4, 5, 6, 9]
    const found: (number | undefined)[] = []
    for (const place of places) found.push(await before(place))
    assert.deepEqual(found, [undefined, undefined, undefined, 3, 3, 3, 3])
    assert.equal(await before(9, { key: 'none' }), undefined)
    assert.equal(await before(9, { subscription: 'q' }), 1)
    await settle(database, 3, 1)
    assert.equal(await before(6), 5)
  }),

  it('what stands behind a parked row stays queued when a row between them is settled', async ({
    database,
  }) => {
    await put(database, parked(1), row(2), queued(3))
    assert.equal(await settle(database, 2, 1), true)
    assert.equal((await find(database, 3))?.state, 'queued')
  }),
]
