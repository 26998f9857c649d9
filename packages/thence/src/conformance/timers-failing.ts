/** Timers that could not be fired: tried later, given up, hurried, and what is to come of all of them. */
import { strict as assert } from 'node:assert'
import type { Timers } from '../ports/timers.ts'
import { type Case, casesOf } from './case.ts'
import { due, find, kept, set, timer, wait, within } from './timer-samples.ts'

const it = casesOf('timers')

const error = 'Error: no'

export const timersFailing: readonly Case[] = [
  it('a timer that failed is tried later and keeps its time and its error', async ({
    database,
    runtime,
  }) => {
    const now = runtime.now()
    await set(database, timer('a', 200), timer('b', 300))
    const fail = (retryIn: number | null): Promise<boolean> =>
      within(database, (rows) => rows.fail('a', { error, retryIn }))
    assert.equal(await fail(50), true)
    const failed = { ...kept({ ...timer('a', 200), due: 200 }), error }
    assert.deepEqual(await find(database, 'a'), { ...failed, next: now + 50, attempts: 1 })
    assert.deepEqual(await due(database), ['b'])
    assert.equal(await wait(database), 50)
    runtime.advance(50)
    assert.deepEqual(await due(database), ['b', 'a'])
    assert.equal(await fail(7), true)
    assert.deepEqual(await find(database, 'a'), { ...failed, next: now + 57, attempts: 2 })
    assert.equal(await within(database, (rows) => rows.fail('x', { error, retryIn: 1 })), false)
  }),

  it('a timer that was given up is never due, is counted, and comes first in the list', async ({
    database,
    runtime,
  }) => {
    await set(database, timer('a', 200), timer('b', 100))
    await within(database, (rows) => rows.fail('a', { error, retryIn: null }))
    runtime.advance(1_000_000)
    assert.deepEqual(await due(database), ['b'])
    assert.deepEqual(await due(database, 9, { next: 0, id: '' }), ['b'])
    await within(database, (rows) => rows.cancel('b'))
    assert.equal(await wait(database), undefined)
    assert.equal(await within(database, (rows) => rows.failed()), 1)
    await set(database, timer('c', 1))
    const upcoming = await within(database, (rows) => rows.upcoming({ limit: 9 }))
    assert.deepEqual(
      upcoming.map(({ id, next }) => [id, next]),
      [
        ['a', 0],
        ['c', 1],
      ],
    )
  }),

  it('a timer that is hurried is due now, as if it had never failed', async ({
    database,
    runtime,
  }) => {
    const now = runtime.now()
    const hurry = (id: string): Promise<boolean> => within(database, (rows) => rows.hurry(id))
    await set(database, timer('late', now + 5000), timer('given up', 100))
    await within(database, (rows) => rows.fail('given up', { error, retryIn: null }))
    assert.deepEqual(
      [await hurry('late'), await hurry('given up'), await hurry('x')],
      [true, true, false],
    )
    assert.deepEqual(await due(database), ['given up', 'late'])
    const expected = kept({ ...timer('late', now + 5000), due: now + 5000 })
    assert.deepEqual(await find(database, 'late'), { ...expected, next: now })
    assert.equal((await find(database, 'given up'))?.attempts, 0)
    assert.equal(await within(database, (rows) => rows.failed()), 0)
  }),

  it('a timer that is set anew has not failed', async ({ database }) => {
    await set(database, timer('a', 200))
    await within(database, (rows) => rows.fail('a', { error, retryIn: null }))
    await set(database, timer('a', 300))
    assert.deepEqual(await find(database, 'a'), kept({ ...timer('a', 300), due: 300 }))
  }),

  it('what is to come is listed by time, then id, of one owner or of all', async ({ database }) => {
    const other = { owner: 'saga-10' }
    await set(database, timer('b', 5), timer('a', 5), timer('c', 2, other), timer('d', 9))
    const list = async (options: Parameters<Timers['upcoming']>[0]): Promise<string[]> =>
      (await database.read(({ timers: rows }) => rows.upcoming(options))).map(({ id }) => id)
    const owner = 'saga-1'
    assert.deepEqual(await list({ limit: 9 }), ['c', 'a', 'b', 'd'])
    assert.deepEqual(await list({ owner, limit: 2 }), ['a', 'b'])
    assert.deepEqual(await list({ owner, after: { next: 5, id: 'a' }, limit: 9 }), ['b', 'd'])
    assert.deepEqual(await list({ after: { next: 2, id: 'c' }, limit: 1 }), ['a'])
    assert.deepEqual(await list({ owner: 'x', limit: 9 }), [])
  }),
]
