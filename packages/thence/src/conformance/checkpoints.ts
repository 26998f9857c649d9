/** Checkpoints: the compare-and-set, the generations that fence a rebuild, and the list. */
import { strict as assert } from 'node:assert'
import type { Database } from '../ports/database.ts'
import type { Checkpoint, Seen } from '../ports/checkpoints.ts'
import { type Case, casesOf, shared } from './case.ts'
import { hostileNames, whileTimePasses } from './samples.ts'

const it = casesOf('checkpoints')

const start: Seen = { position: 0, generation: 0 }

const load = (database: Database, name = 'p'): Promise<Checkpoint | undefined> =>
  database.read(({ checkpoints }) => checkpoints.load(name))

const move = (database: Database, seen: Seen, position: number): Promise<boolean> =>
  database.transact(({ checkpoints }) => checkpoints.move('p', seen, position))

const restart = (database: Database, rebuildTo: number): Promise<Checkpoint> =>
  database.transact(({ checkpoints }) => checkpoints.restart('p', rebuildTo))

const moving: readonly Case[] = [
  it('a subscription that never moved has no checkpoint', async ({ database }) => {
    assert.equal(await load(database), undefined)
    assert.deepEqual(await database.read(({ checkpoints }) => checkpoints.list()), [])
  }),

  it('the first move creates the checkpoint and notes when', async ({ database, runtime }) => {
    assert.equal(await move(database, start, 5), true)
    assert.deepEqual(await load(database), {
      subscription: 'p',
      partition: 0,
      position: 5,
      generation: 0,
      epoch: 0,
      rebuildTo: 0,
      rebuildAsked: false,
      time: runtime.now(),
    })
  }),

  it('a move from what is stored succeeds and notes when', async ({ database, runtime }) => {
    await move(database, start, 5)
    runtime.advance(1000)
    assert.equal(await move(database, { position: 5, generation: 0 }, 9), true)
    const stored = await load(database)
    assert.deepEqual([stored?.position, stored?.time], [9, runtime.now()])
  }),

  it('a move from another position or generation changes nothing', async ({
    database,
    runtime,
  }) => {
    await move(database, start, 5)
    const stored = await load(database)
    runtime.advance(1000)
    for (const [position, generation] of [
      [0, 0],
      [4, 0],
      [6, 0],
      [5, 1],
      [0, 1],
    ] as const) {
      assert.equal(await move(database, { position, generation }, 9), false)
      assert.deepEqual(await load(database), stored)
    }
  }),

  it('a move of an absent checkpoint from anything but the start creates none', async ({
    database,
  }) => {
    assert.equal(await move(database, { position: 3, generation: 0 }, 9), false)
    assert.equal(await move(database, { position: 0, generation: 1 }, 9), false)
    assert.equal(await load(database), undefined)
  }),

  it('of many that race to move from the same place, one wins', async ({ database }) => {
    for (const [round, seen] of [start, { position: 7, generation: 0 }].entries()) {
      const race = Array.from({ length: 16 }, () => move(database, seen, 7 + round))
      assert.equal((await Promise.all(race)).filter(Boolean).length, 1)
    }
  }),

  it(
    'of two processes that race to move from the same place, one wins',
    async (subject) => {
      const second = await subject.second()
      const race = [subject.database, second, subject.database, second].map((one) =>
        move(one, start, 7),
      )
      const moved = await whileTimePasses(subject.runtime, Promise.all(race))
      assert.equal(moved.filter(Boolean).length, 1)
      assert.equal((await load(second))?.position, 7)
    },
    { requires: shared },
  ),
]

const rebuilding: readonly Case[] = [
  it('restart goes back to 0 in the next generation, and forgets that it was asked', async ({
    database,
    runtime,
  }) => {
    await move(database, start, 5)
    await database.transact(({ checkpoints }) => checkpoints.ask('p'))
    runtime.advance(10)
    const expected = {
      subscription: 'p',
      partition: 0,
      position: 0,
      generation: 1,
      epoch: 0,
      rebuildTo: 42,
      rebuildAsked: false,
      time: runtime.now(),
    }
    assert.deepEqual(await restart(database, 42), expected)
    assert.deepEqual(await load(database), expected)
    assert.equal((await restart(database, 50)).generation, 2)
  }),

  it('restart creates an absent checkpoint', async ({ database }) => {
    const { position, generation, rebuildTo } = await restart(database, 3)
    assert.deepEqual([position, generation, rebuildTo], [0, 1, 3])
    assert.equal((await load(database))?.generation, 1)
  }),

  it('restart fences whoever still runs in an earlier generation', async ({ database }) => {
    await move(database, start, 5)
    await restart(database, 5)
    assert.equal(await move(database, { position: 5, generation: 0 }, 6), false)
    assert.equal(await move(database, start, 1), false, 'the start of an older generation')
    assert.equal(await move(database, { position: 0, generation: 1 }, 1), true)
    assert.equal((await load(database))?.generation, 1)
  }),

  it('a rebuild is over when its position is reached', async ({ database }) => {
    await restart(database, 10)
    await move(database, { position: 0, generation: 1 }, 9)
    assert.equal((await load(database))?.rebuildTo, 10)
    await move(database, { position: 9, generation: 1 }, 10)
    assert.equal((await load(database))?.rebuildTo, 0)
  }),

  it('asking for a rebuild marks the checkpoint until it begins', async ({ database }) => {
    await move(database, start, 5)
    const ask = (): Promise<boolean> => database.transact(({ checkpoints }) => checkpoints.ask('p'))
    assert.equal(await ask(), true)
    assert.equal(await ask(), true)
    await move(database, { position: 5, generation: 0 }, 6)
    assert.deepEqual(
      [(await load(database))?.position, (await load(database))?.rebuildAsked],
      [6, true],
    )
    await restart(database, 6)
    assert.equal((await load(database))?.rebuildAsked, false)
  }),

  it('asking for a rebuild of what has no checkpoint is refused and creates none', async ({
    database,
  }) => {
    assert.equal(await database.transact(({ checkpoints }) => checkpoints.ask('p')), false)
    assert.equal(await load(database), undefined)
  }),
]

const listing: readonly Case[] = [
  it('all checkpoints are listed by name', async ({ database }) => {
    await database.transact(async ({ checkpoints }) => {
      for (const name of ['b', '\u{1f600}', 'a', '\uffee', 'B'])
        await checkpoints.move(name, start, name.length)
    })
    const listed = await database.read(({ checkpoints }) => checkpoints.list())
    assert.deepEqual(
      listed.map(({ subscription }) => subscription),
      ['B', 'a', 'b', '\uffee', '\u{1f600}'],
    )
    assert.deepEqual(listed[1], await load(database, 'a'))
  }),

  it('checkpoints of names that look alike are apart', async ({ database }) => {
    await database.transact(async ({ checkpoints }) => {
      for (const [index, name] of hostileNames.entries())
        assert.equal(await checkpoints.move(name, start, index + 1), true, JSON.stringify(name))
    })
    for (const [index, name] of hostileNames.entries())
      assert.equal((await load(database, name))?.position, index + 1)
  }),

  it('a checkpoint that was read does not change afterwards', async ({ database }) => {
    await move(database, start, 5)
    const before = await load(database)
    await move(database, { position: 5, generation: 0 }, 6)
    assert.equal(before?.position, 5)
  }),
]

export const checkpoints: readonly Case[] = [...moving, ...rebuilding, ...listing]
