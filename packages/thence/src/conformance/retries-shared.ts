/** Retries by share: which rows one of several partitions takes care of, and what it is told of them. */
import { strict as assert } from 'node:assert'
import type { Share } from '../ports/retries.ts'
import { type Case, casesOf } from './case.ts'
import { put, row, within } from './retry-samples.ts'

const it = casesOf('retries')

export const retriesShared: readonly Case[] = [
  it('each share has the rows of its keys, and all shares have all rows', async ({ database }) => {
    const hashes = [0, 1, 2, 3, 4_294_967_295]
    await put(database, ...hashes.map((hash, index) => row(index + 1, { hash, key: `k${hash}` })))
    const of = (partition: number, partitions: number): Promise<number[]> =>
      within(database, async (retries) => {
        const share = { partition, partitions }
        const rows = await retries.take('p', { now: 100, limit: 9, share })
        return rows.map(({ hash }) => hash)
      })
    assert.deepEqual(await of(0, 1), hashes)
    assert.deepEqual(
      [await of(0, 2), await of(1, 2)],
      [
        [0, 2],
        [1, 3, 4_294_967_295],
      ],
    )
    assert.deepEqual(await of(2, 3), [2])
  }),

  it('a limit counts only the rows of the share', async ({ database }) => {
    await put(
      database,
      row(1, { hash: 0 }),
      row(2, { hash: 0, key: 'b' }),
      row(3, { hash: 1, key: 'c' }),
    )
    const share = { partition: 1, partitions: 2 }
    const rows = await within(database, (all) => all.take('p', { now: 100, limit: 1, share }))
    assert.deepEqual(
      rows.map(({ position }) => position),
      [3],
    )
  }),

  it('the outlook counts one subscription; what is next, that of one share of it', async ({
    database,
  }) => {
    await put(
      database,
      row(1, { hash: 0, due: 200 }),
      row(2, { hash: 1, key: 'b', due: 300 }),
      row(3, { hash: 2, key: 'c', state: 'parked', due: 0 }),
      row(4, { hash: 2, key: 'c', state: 'queued', due: 0 }),
      row(5, { subscription: 'q' }),
    )
    const all = { subscription: 'p', due: 2, parked: 1, queued: 1, next: 200 }
    assert.deepEqual(await within(database, (retries) => retries.outlook('p')), all)
    const none = { subscription: 'none', due: 0, parked: 0, queued: 0, next: 0 }
    assert.deepEqual(await within(database, (retries) => retries.outlook('none')), none)
    const next = (of: string, share?: Share) =>
      within(database, (retries) => retries.upcoming(of, share))
    assert.deepEqual(await next('p'), { any: true, next: 200 })
    assert.deepEqual(await next('p', { partition: 1, partitions: 2 }), { any: true, next: 300 })
    // Its share has a row, but it is parked.
    assert.deepEqual(await next('p', { partition: 2, partitions: 3 }), { any: true, next: null })
    assert.deepEqual(await next('none'), { any: false, next: null })
  }),

  it('a row is in its share however the subscription was divided when it was put or released', async ({
    database,
  }) => {
    const divide = (partitions: number): Promise<void> =>
      database.transact(({ checkpoints }) =>
        checkpoints.divide(
          'p',
          Array.from({ length: partitions }, () => 0),
        ),
      )
    const hashes = [0, 1, 2, 3, 4, 5]
    const behind = { state: 'queued', attempts: 0, due: 0 } as const
    for (const [round, partitions] of [4, 3, 1, 2].entries()) {
      await divide(partitions)
      for (const hash of hashes) {
        const at = 10 * round + hash
        await put(database, row(at + 1, { hash, key: `k${at}`, due: 100 + at }))
        await put(database, row(at + 101, { ...behind, hash, key: `k${at}` }))
      }
    }
    await within(database, (all) => all.settle({ subscription: 'p', position: 1, attempts: 1 }, 50))
    await divide(4)
    await within(database, (all) => all.settle({ subscription: 'p', position: 2, attempts: 1 }, 60))
    const expected = [
      { hash: 0, position: 101, due: 50 },
      { hash: 1, position: 102, due: 60 },
      ...[0, 1, 2, 3].flatMap((round) =>
        hashes.map((hash) => ({
          hash,
          position: 10 * round + hash + 1,
          due: 100 + 10 * round + hash,
        })),
      ),
    ].filter(({ position }) => position > 2)
    for (const partitions of [1, 2, 3, 4, 7])
      for (let partition = 0; partition < partitions; partition += 1) {
        const share = { partition, partitions }
        const own = expected.filter(({ hash }) => hash % partitions === partition)
        const told = await within(database, async (all) => ({
          taken: await all.take('p', { now: 1000, limit: 100, share }),
          upcoming: await all.upcoming('p', share),
        }))
        const taken = told.taken.map(({ hash, position, due }) => ({ hash, position, due }))
        assert.deepEqual(taken, own, `partition ${partition} of ${partitions}`)
        assert.deepEqual(told.upcoming, { any: true, next: own[0]?.due ?? null })
      }
  }),

  it('it is told which positions wait, for whichever subscription', async ({ database }) => {
    await put(
      database,
      row(1),
      row(3, { state: 'parked', due: 0 }),
      row(5, { state: 'queued', due: 0 }),
      row(3, { subscription: 'q' }),
      row(7, { subscription: 'q', hash: 1 }),
    )
    const waiting = (...positions: readonly number[]): Promise<readonly number[]> =>
      within(database, (retries) => retries.waitingAt(positions))
    assert.deepEqual(await waiting(9, 7, 5, 4, 3, 3, 2, 1), [1, 3, 5, 7])
    assert.deepEqual(await waiting(2, 4), [])
    assert.deepEqual(await waiting(), [])
    await within(database, (retries) => retries.clear('q'))
    assert.deepEqual(await waiting(3, 7), [3])
  }),

  it('a row remembers that it is a replay, and which hash its key has', async ({ database }) => {
    await put(database, row(1, { replay: true, hash: 4_294_967_295 }))
    assert.deepEqual(
      await within(database, (retries) => retries.find('p', 1)),
      row(1, { replay: true, hash: 4_294_967_295 }),
    )
    await put(database, row(1, { hash: 5 }))
    assert.deepEqual(await within(database, (retries) => retries.find('p', 1)), row(1, { hash: 5 }))
  }),
]
