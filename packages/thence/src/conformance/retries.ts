/** Retries: what is put comes back, what is due is taken, and what waits behind what is told. */
import { strict as assert } from 'node:assert'
import type { Database } from '../ports/database.ts'
import type { Retry, RetrySummary } from '../ports/retries.ts'
import { type Case, casesOf } from './case.ts'
import { find, parked, put, queued, row, within } from './retry-samples.ts'
import { hostileNames } from './samples.ts'

const it = casesOf('retries')

const take = async (database: Database, now: number, limit = 100): Promise<number[]> =>
  (await database.read(({ retries }) => retries.take('p', { now, limit }))).map(
    ({ position }) => position,
  )

const putting: readonly Case[] = [
  it('a row comes back as it was put', async ({ database }) => {
    const history = [
      { time: 1, error: "it's 😀\nat line 2" },
      { time: 2, error: '' },
    ]
    const rows = [row(3, { history, attempts: 2 }), parked(4), queued(5)]
    await put(database, ...rows)
    for (const one of rows) assert.deepEqual(await find(database, one.position), one)
    assert.equal(await find(database, 6), undefined)
    assert.equal(await find(database, 3, 'other'), undefined)
  }),

  it('a row that is put again is replaced', async ({ database }) => {
    await put(database, row(3), row(3, { attempts: 2, due: 300, state: 'due' }))
    assert.deepEqual(await find(database, 3), row(3, { attempts: 2, due: 300 }))
    await put(database, parked(3))
    assert.deepEqual(await find(database, 3), parked(3))
    assert.deepEqual(await take(database, 1000), [])
  }),

  it('rows are kept by subscription and position', async ({ database }) => {
    for (const subscription of hostileNames)
      await put(database, row(3, { subscription, key: subscription }))
    for (const subscription of hostileNames)
      assert.deepEqual(
        await find(database, 3, subscription),
        row(3, { subscription, key: subscription }),
      )
  }),

  it('what waits behind nothing is due now', async ({ database, runtime }) => {
    await put(database, queued(3))
    assert.deepEqual(await find(database, 3), queued(3, { state: 'due', due: runtime.now() }))
    assert.deepEqual(await take(database, runtime.now()), [3])
  }),

  it('what waits behind a row of another key, another subscription or a later one is due now', async ({
    database,
  }) => {
    await put(database, row(1, { key: 'K' }), row(2, { subscription: 'q' }), row(9))
    await put(database, queued(3))
    assert.equal((await find(database, 3))?.state, 'due')
  }),

  it('a row does not wait behind itself', async ({ database }) => {
    await put(database, row(3), queued(3))
    assert.equal((await find(database, 3))?.state, 'due')
  }),

  it('what waits behind an earlier row of its key is queued', async ({ database }) => {
    await put(database, row(1, { key: 'a' }), queued(4, { key: 'a' }))
    await put(database, row(2, { key: 'b', state: 'parked', due: 0 }), queued(5, { key: 'b' }))
    await put(database, queued(6, { key: 'b' }))
    for (const position of [4, 5, 6])
      assert.equal((await find(database, position))?.state, 'queued')
  }),

  it('a row that was put cannot be changed from outside', async ({ database }) => {
    const history = [{ time: 1, error: 'first' }]
    const mine = { ...row(3), history }
    await put(database, mine)
    history.push({ time: 2, error: 'second' })
    Object.assign(mine, { attempts: 9 })
    assert.deepEqual(await find(database, 3), row(3, { history: [{ time: 1, error: 'first' }] }))
  }),
]

const taking: readonly Case[] = [
  it('rows are taken when they are due, by due time, then position', async ({ database }) => {
    await put(
      database,
      row(1, { key: 'a', due: 300 }),
      row(2, { key: 'b', due: 100 }),
      row(4, { key: 'c', due: 200 }),
      row(3, { key: 'd', due: 200 }),
    )
    await put(database, row(5, { key: 'e', due: 301 }), row(6, { subscription: 'q' }))
    await put(database, row(7, { state: 'parked', due: 0 }), queued(8, { due: 0 }))
    assert.deepEqual(await take(database, 300), [2, 3, 4, 1])
    assert.deepEqual(await take(database, 299), [2, 3, 4])
    assert.deepEqual(await take(database, 300, 2), [2, 3])
    assert.deepEqual(await take(database, 99), [])
  }),

  it('of each key the first that is due is taken, and the limit counts no other', async ({
    database,
  }) => {
    await put(
      database,
      row(1, { due: 200 }),
      row(2, { due: 100 }),
      row(3, { due: 110 }),
      row(4, { key: 'other', due: 150 }),
    )
    assert.deepEqual(await take(database, 300), [4, 1])
    assert.deepEqual(await take(database, 300, 2), [4, 1])
    // The first of them is not due yet.
    assert.deepEqual(await take(database, 199, 2), [2, 4])
  }),

  it('taking gives whole rows and changes nothing', async ({ database }) => {
    await put(database, row(1))
    const taken = (): Promise<readonly Retry[]> =>
      database.read(({ retries }) => retries.take('p', { now: 100, limit: 9 }))
    assert.deepEqual(await taken(), [row(1)])
    assert.deepEqual(await taken(), [row(1)])
  }),
]

const watching: readonly Case[] = [
  it('a key is blocked while it has a row, whatever its state', async ({ database }) => {
    await put(database, row(1, { key: 'a' }), row(2, { key: 'b', state: 'parked', due: 0 }))
    await put(database, queued(3, { key: 'b' }), row(4, { key: 'c', subscription: 'q' }))
    const blocked = async (...keys: string[]): Promise<string[]> =>
      [...(await database.read(({ retries }) => retries.blocked('p', keys)))].toSorted()
    assert.deepEqual(await blocked('a', 'b', 'c', 'd', 'A'), ['a', 'b'])
    assert.deepEqual(await blocked('c', 'd'), [])
    assert.deepEqual(await blocked(), [])
  }),

  it('keys that look alike are apart', async ({ database }) => {
    const [first = '', ...others] = hostileNames
    await put(database, row(1, { key: first }))
    const blocked = (keys: readonly string[]): Promise<readonly string[]> =>
      database.read(({ retries }) => retries.blocked('p', keys))
    assert.deepEqual(await blocked(others), [])
    await put(database, ...others.map((key, index) => row(index + 2, { key })))
    assert.deepEqual(new Set(await blocked(hostileNames)), new Set(hostileNames))
  }),

  it('a thousand keys are asked at once', async ({ database }) => {
    await put(database, row(1, { key: 'key 999' }))
    const keys = Array.from({ length: 1000 }, (_, index) => `key ${index}`)
    assert.deepEqual(await database.read(({ retries }) => retries.blocked('p', keys)), ['key 999'])
  }),

  it('the summary counts the states of each subscription and tells when the next is due', async ({
    database,
  }) => {
    const summary = async (): Promise<RetrySummary[]> =>
      [...(await database.read(({ retries }) => retries.summary()))].toSorted((a, b) =>
        a.subscription < b.subscription ? -1 : 1,
      )
    assert.deepEqual(await summary(), [])
    await put(database, row(1, { due: 300 }), queued(2), queued(3), row(4, { key: 'b', due: 200 }))
    await put(database, row(5, { key: 'c', state: 'parked', due: 0 }))
    await put(database, row(1, { subscription: 'q', state: 'parked', due: 0 }))
    assert.deepEqual(await summary(), [
      { subscription: 'p', due: 2, parked: 1, queued: 2, next: 200 },
      { subscription: 'q', due: 0, parked: 1, queued: 0, next: 0 },
    ])
  }),

  it('clearing removes every row of one subscription', async ({ database }) => {
    await put(
      database,
      row(1),
      queued(2),
      row(3, { key: 'b', state: 'parked' }),
      row(1, { subscription: 'q' }),
    )
    assert.equal(await within(database, (retries) => retries.clear('p')), 3)
    assert.equal(await within(database, (retries) => retries.clear('p')), 0)
    const summary = await database.read((transaction) => transaction.retries.summary())
    assert.deepEqual(
      summary.map(({ subscription }) => subscription),
      ['q'],
    )
    assert.equal(await find(database, 1), undefined)
    assert.deepEqual(await find(database, 1, 'q'), row(1, { subscription: 'q' }))
  }),

  it('renaming hands every row of one subscription to another, just as it is', async ({
    database,
  }) => {
    const parked = row(1, { state: 'parked', due: 0, attempts: 3 })
    await put(database, parked, queued(2), row(3, { key: 'b' }))
    await put(database, row(1, { subscription: 'q' }))
    const rename = (from: string, to: string): Promise<number> =>
      within(database, (all) => all.rename(from, to))
    assert.deepEqual([await rename('p', 'r'), await rename('p', 'r')], [3, 0])
    assert.equal(await find(database, 1), undefined)
    assert.deepEqual(await find(database, 1, 'r'), { ...parked, subscription: 'r' })
    assert.deepEqual(await find(database, 1, 'q'), row(1, { subscription: 'q' }))
    // What waited still waits behind the same message.
    await within(database, (all) => all.settle({ subscription: 'r', position: 1, attempts: 3 }, 50))
    assert.deepEqual(await find(database, 2, 'r'), {
      ...queued(2),
      subscription: 'r',
      state: 'due',
      due: 50,
    })
  }),
]

export const retries: readonly Case[] = [...putting, ...taking, ...watching]
