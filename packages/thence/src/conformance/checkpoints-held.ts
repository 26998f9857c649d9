/** Checkpoints of several partitions and processes: the epoch that fences an old holder, and dividing anew. */
import { strict as assert } from 'node:assert'
import type { Checkpoint, Checkpoints } from '../ports/checkpoints.ts'
import type { Database } from '../ports/database.ts'
import { type Case, casesOf } from './case.ts'
import { hostileNames } from './samples.ts'

const it = casesOf('checkpoints')

const act = <T>(database: Database, work: (rows: Checkpoints) => T | Promise<T>): Promise<T> =>
  database.transact(({ checkpoints }) => work(checkpoints))

const load = (database: Database, partition = 0): Promise<Checkpoint | undefined> =>
  database.read(({ checkpoints }) => checkpoints.load('p', partition))

const at = (position: number, epoch: number, partition = 0) => ({
  partition,
  position,
  generation: 0,
  epoch,
})

const held: readonly Case[] = [
  it('a claim writes the epoch and nothing else', async ({ database }) => {
    await act(database, (rows) => rows.move('p', at(0, 0), 5))
    const before = await load(database)
    const claimed = await act(database, (rows) => rows.claim('p', { partition: 0, epoch: 3 }))
    assert.deepEqual(claimed, { ...before, epoch: 3 })
    assert.deepEqual(await load(database), claimed)
  }),

  it('a claim creates the checkpoint of a partition that never moved', async ({ database }) => {
    const claimed = await act(database, (rows) => rows.claim('p', { partition: 2, epoch: 1 }))
    assert.deepEqual([claimed.partition, claimed.position, claimed.epoch], [2, 0, 1])
    assert.deepEqual(await load(database, 2), claimed)
    assert.equal(await load(database), undefined)
  }),

  it('who holds an older epoch moves nothing any more', async ({ database }) => {
    await act(database, (rows) => rows.claim('p', { partition: 0, epoch: 1 }))
    assert.equal(await act(database, (rows) => rows.move('p', at(0, 1), 5)), true)
    await act(database, (rows) => rows.claim('p', { partition: 0, epoch: 2 }))
    assert.equal(await act(database, (rows) => rows.move('p', at(5, 1), 6)), false)
    assert.equal(await act(database, (rows) => rows.move('p', at(5, 0), 6)), false)
    assert.equal((await load(database))?.position, 5)
    assert.equal(await act(database, (rows) => rows.move('p', at(5, 2), 6)), true)
  }),

  it('a checkpoint that is absent can be moved only by who never held a lease', async ({
    database,
  }) => {
    assert.equal(await act(database, (rows) => rows.move('p', at(0, 1), 5)), false)
    assert.equal(await load(database), undefined)
  }),

  it('holds tells whether the epoch is still the stored one', async ({ database }) => {
    const holds = (epoch: number): Promise<boolean> =>
      act(database, (rows) => rows.holds('p', { partition: 1, epoch }))
    assert.deepEqual([await holds(0), await holds(1)], [true, false])
    await act(database, (rows) => rows.claim('p', { partition: 1, epoch: 1 }))
    assert.deepEqual([await holds(0), await holds(1), await holds(2)], [false, true, false])
  }),

  it('a rebuild keeps the lease', async ({ database }) => {
    await act(database, (rows) => rows.claim('p', { partition: 0, epoch: 4 }))
    const restarted = await act(database, (rows) => rows.restart('p', 9))
    assert.deepEqual([restarted.epoch, restarted.generation], [4, 1])
  }),
]

const divided: readonly Case[] = [
  it('partitions have checkpoints of their own', async ({ database }) => {
    await act(database, (rows) => rows.move('p', at(0, 0, 0), 5))
    await act(database, (rows) => rows.move('p', at(0, 0, 1), 7))
    assert.equal((await load(database, 0))?.position, 5)
    assert.equal((await load(database, 1))?.position, 7)
    assert.equal(await act(database, (rows) => rows.move('p', at(7, 0, 0), 8)), false)
  }),

  it('dividing replaces all rows and fences whoever held one', async ({ database, runtime }) => {
    await act(database, (rows) => rows.claim('p', { partition: 0, epoch: 1 }))
    await act(database, (rows) => rows.move('p', at(0, 1), 5))
    runtime.advance(10)
    await act(database, (rows) => rows.divide('p', [3, 3]))
    const expected = [0, 1].map((partition) => ({
      subscription: 'p',
      partition,
      position: 3,
      generation: 1,
      epoch: 0,
      rebuildTo: 0,
      rebuildAsked: false,
      time: runtime.now(),
    }))
    assert.deepEqual(await database.read(({ checkpoints }) => checkpoints.list('p')), expected)
    assert.equal(await act(database, (rows) => rows.move('p', at(5, 1), 6)), false)
    assert.equal(await act(database, (rows) => rows.move('p', at(3, 1), 6)), false)
    await act(database, (rows) => rows.divide('p', [8]))
    const rows = await database.read(({ checkpoints }) => checkpoints.list('p'))
    assert.deepEqual(
      rows.map(({ partition, position, generation }) => [partition, position, generation]),
      [[0, 8, 2]],
    )
  }),

  it('all are listed by name and partition, or those of one subscription', async ({ database }) => {
    for (const name of hostileNames)
      await act(database, async (rows) => {
        for (const partition of [10, 2, 0]) await rows.claim(name, { partition, epoch: 1 })
      })
    const all = await database.read(({ checkpoints }) => checkpoints.list())
    assert.equal(all.length, hostileNames.length * 3)
    for (const name of hostileNames) {
      const own = await database.read(({ checkpoints }) => checkpoints.list(name))
      assert.deepEqual(
        own.map(({ partition }) => partition),
        [0, 2, 10],
      )
      assert.deepEqual(
        all.filter(({ subscription }) => subscription === name),
        own,
      )
    }
  }),
]

export const checkpointsHeld: readonly Case[] = [...held, ...divided]
