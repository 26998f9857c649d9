/** Snapshots: the newest of each stream and tag. */
import { strict as assert } from 'node:assert'
import type { Database } from '../ports/database.ts'
import type { Snapshot } from '../ports/snapshots.ts'
import { type Case, casesOf } from './case.ts'
import { hostileJson, hostileNames } from './samples.ts'

const it = casesOf('snapshots')

const snapshot = (version: number, change: Partial<Snapshot> = {}): Snapshot => ({
  stream: 's',
  version,
  tag: 'v1',
  state: `{"at":${version}}`,
  ...change,
})

const save = (database: Database, ...rows: readonly Snapshot[]): Promise<void> =>
  database.transact(async ({ snapshots: store }) => {
    for (const row of rows) await store.save(row)
  })

const load = (database: Database, stream = 's', tag = 'v1'): Promise<Snapshot | undefined> =>
  database.read(({ snapshots: store }) => store.load(stream, tag))

export const snapshots: readonly Case[] = [
  it('a snapshot comes back as it was saved', async ({ database }) => {
    assert.equal(await load(database), undefined)
    for (const [version, state] of hostileJson.entries()) {
      await save(database, snapshot(version + 1, { state }))
      assert.deepEqual(await load(database), snapshot(version + 1, { state }))
    }
  }),

  it('only the newest version is kept, whatever the order of saving', async ({ database }) => {
    await save(database, snapshot(5), snapshot(9), snapshot(7), snapshot(1))
    assert.deepEqual(await load(database), snapshot(9))
  }),

  it('each stream and each tag has its own', async ({ database }) => {
    for (const [index, name] of hostileNames.entries()) {
      await save(
        database,
        snapshot(index + 1, { stream: name }),
        snapshot(index + 1, { tag: name }),
      )
    }
    for (const [index, name] of hostileNames.entries()) {
      assert.deepEqual(await load(database, name), snapshot(index + 1, { stream: name }))
      assert.deepEqual(await load(database, 's', name), snapshot(index + 1, { tag: name }))
    }
    assert.equal(await load(database), undefined)
  }),

  it('a lost snapshot is saved again', async ({ database }) => {
    await save(database, snapshot(5))
    await save(database, snapshot(6, { state: '{"again":true}' }))
    assert.deepEqual(await load(database), snapshot(6, { state: '{"again":true}' }))
  }),

  it('clearing removes those of one stream, with every tag', async ({ database }) => {
    await save(
      database,
      snapshot(1),
      snapshot(2, { tag: 'v2' }),
      snapshot(3, { stream: 'S' }),
      snapshot(4, { stream: 's1' }),
    )
    const clear = (): Promise<number> =>
      database.transact(({ snapshots: store }) => store.clear('s'))
    assert.deepEqual([await clear(), await clear()], [2, 0])
    assert.deepEqual(
      [await load(database), await load(database, 's', 'v2')],
      [undefined, undefined],
    )
    assert.deepEqual(await load(database, 'S'), snapshot(3, { stream: 'S' }))
    assert.deepEqual(await load(database, 's1'), snapshot(4, { stream: 's1' }))
    await save(database, snapshot(1))
    assert.deepEqual(await load(database), snapshot(1))
  }),
]
