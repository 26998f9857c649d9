/** The inbox: remembered once per consumer and id, recalled as it was, forgotten by position. */
import { strict as assert } from 'node:assert'
import type { Database } from '../ports/database.ts'
import type { Appended } from '../ports/events.ts'
import { type Case, casesOf } from './case.ts'
import { hostileNames } from './samples.ts'

const it = casesOf('inbox')

const outcome = (position: number): Appended => ({ stream: "s'1", version: 2, position, count: 1 })

const remember = (database: Database, id: string, position: number): Promise<boolean> =>
  database.transact(({ inbox: rows }) => rows.remember('c', id, outcome(position)))

const recall = (database: Database, id: string, consumer = 'c'): Promise<Appended | undefined> =>
  database.read(({ inbox }) => inbox.recall(consumer, id))

export const inbox: readonly Case[] = [
  it('what was remembered is recalled as it was', async ({ database }) => {
    assert.equal(await remember(database, 'm1', 7), true)
    assert.deepEqual(await recall(database, 'm1'), outcome(7))
    assert.equal(await recall(database, 'm2'), undefined)
  }),

  it('remembering again is refused and keeps the first outcome', async ({ database }) => {
    await remember(database, 'm1', 7)
    assert.equal(await remember(database, 'm1', 8), false)
    assert.deepEqual(await recall(database, 'm1'), outcome(7))
  }),

  it('of many that race to remember the same id, one succeeds', async ({ database }) => {
    const race = Array.from({ length: 16 }, (_, index) => remember(database, 'm1', index))
    assert.equal((await Promise.all(race)).filter(Boolean).length, 1)
  }),

  it('each consumer and each id stands alone', async ({ database }) => {
    const rememberAs = (name: string): Promise<boolean> =>
      database.transact(({ inbox: rows }) => rows.remember(name, 'm', outcome(2)))
    for (const name of hostileNames) {
      assert.equal(await remember(database, name, 1), true, JSON.stringify(name))
      assert.equal(await rememberAs(name), true, JSON.stringify(name))
    }
    for (const name of hostileNames) {
      assert.deepEqual(await recall(database, name), outcome(1))
      assert.deepEqual(await recall(database, 'm', name), outcome(2))
    }
    assert.equal(await recall(database, 'm'), undefined)
  }),

  it('forgetting removes what one consumer did up to a position, inclusive', async ({
    database,
  }) => {
    for (const position of [5, 6, 7]) await remember(database, `m${position}`, position)
    await database.transact(({ inbox: rows }) => rows.remember('other', 'm5', outcome(5)))
    const forget = (through: number): Promise<number> =>
      database.transact(({ inbox: rows }) => rows.forget('c', through))
    assert.equal(await forget(4), 0)
    assert.equal(await forget(6), 2)
    assert.equal(await forget(6), 0)
    assert.equal(await recall(database, 'm5'), undefined)
    assert.equal(await recall(database, 'm6'), undefined)
    assert.deepEqual(await recall(database, 'm7'), outcome(7))
    assert.deepEqual(await recall(database, 'm5', 'other'), outcome(5))
    assert.equal(await remember(database, 'm5', 9), true)
  }),

  it('an outcome that wrote nothing is remembered too', async ({ database }) => {
    const nothing = { stream: 's', version: 0, position: 0, count: 0 }
    await database.transact(({ inbox: rows }) => rows.remember('c', 'm', nothing))
    assert.deepEqual(await recall(database, 'm'), nothing)
  }),
]
