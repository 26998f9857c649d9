/** The inbox: remembered once per consumer and id, recalled as it was, concluded, trimmed from the oldest. */
import { strict as assert } from 'node:assert'
import type { Awaitable } from '../ports/awaitable.ts'
import type { Database } from '../ports/database.ts'
import type { Appended } from '../ports/events.ts'
import type { Inbox, Remembered } from '../ports/inbox.ts'
import { type Case, casesOf } from './case.ts'
import { hostileJson, hostileNames } from './samples.ts'

const it = casesOf('inbox')

const outcome = (position: number): Appended => ({ stream: "s'1", version: 2, position, count: 1 })

const within = <T>(database: Database, work: (rows: Inbox) => Awaitable<T>): Promise<T> =>
  database.transact(({ inbox: rows }) => work(rows))

const remember = (database: Database, id: string, position: number): Promise<boolean> =>
  within(database, (rows) => rows.remember('c', id, outcome(position)))

const recall = (database: Database, id: string, consumer = 'c'): Promise<Remembered | undefined> =>
  database.read(({ inbox: rows }) => rows.recall(consumer, id))

const remembering: readonly Case[] = [
  it('what was remembered is recalled as it was, with its time', async ({ database, runtime }) => {
    runtime.advance(5)
    const time = runtime.now()
    assert.equal(await remember(database, 'm1', 7), true)
    runtime.advance(5)
    assert.deepEqual(await recall(database, 'm1'), { ...outcome(7), time })
    assert.equal(await recall(database, 'm2'), undefined)
  }),

  it('remembering again is refused and keeps the first outcome', async ({ database, runtime }) => {
    const time = runtime.now()
    await remember(database, 'm1', 7)
    runtime.advance(5)
    assert.equal(await remember(database, 'm1', 8), false)
    assert.deepEqual(await recall(database, 'm1'), { ...outcome(7), time })
  }),

  it('of many that race to remember the same id, one succeeds', async ({ database }) => {
    const race = Array.from({ length: 16 }, (_, index) => remember(database, 'm1', index))
    assert.equal((await Promise.all(race)).filter(Boolean).length, 1)
  }),

  it('each consumer and each id stands alone', async ({ database, runtime }) => {
    const time = runtime.now()
    const rememberAs = (name: string): Promise<boolean> =>
      within(database, (rows) => rows.remember(name, 'm', outcome(2)))
    for (const name of hostileNames) {
      assert.equal(await remember(database, name, 1), true, JSON.stringify(name))
      assert.equal(await rememberAs(name), true, JSON.stringify(name))
    }
    for (const name of hostileNames) {
      assert.deepEqual(await recall(database, name), { ...outcome(1), time })
      assert.deepEqual(await recall(database, 'm', name), { ...outcome(2), time })
    }
    assert.equal(await recall(database, 'm'), undefined)
  }),

  it('an outcome that wrote nothing is remembered too', async ({ database, runtime }) => {
    const nothing = { stream: 's', version: 0, position: 0, count: 0 }
    await within(database, (rows) => rows.remember('c', 'm', nothing))
    assert.deepEqual(await recall(database, 'm'), { ...nothing, time: runtime.now() })
  }),
]

const asked: readonly Case[] = [
  it('a digest comes back as it was given, beside a result and without one', async ({
    database,
    runtime,
  }) => {
    const time = runtime.now()
    for (const [index, digest] of hostileNames.entries()) {
      const given = { ...outcome(index), digest, ...(index % 2 === 0 ? { result: '1' } : {}) }
      await within(database, (rows) => rows.remember('c', digest, given))
      assert.deepEqual(await recall(database, digest), { ...given, time })
    }
  }),

  it('a digest is that of the first, whoever comes later and whatever is concluded', async ({
    database,
    runtime,
  }) => {
    const time = runtime.now()
    const given = { ...outcome(1), digest: 'first' }
    await within(database, (rows) => rows.remember('c', 'm1', given))
    await within(database, (rows) => rows.remember('c', 'm1', { ...given, digest: 'second' }))
    await within(database, (rows) => rows.conclude('c', 'm1', { ...outcome(2), result: '2' }))
    assert.deepEqual(await recall(database, 'm1'), {
      ...outcome(2),
      digest: 'first',
      result: '2',
      time,
    })
    await remember(database, 'm2', 3)
    await within(database, (rows) => rows.remember('c', 'm2', { ...given, digest: 'second' }))
    assert.deepEqual(await recall(database, 'm2'), { ...outcome(3), time })
  }),
]

const concluding: readonly Case[] = [
  it('a result comes back byte for byte', async ({ database, runtime }) => {
    for (const [index, result] of hostileJson.entries()) {
      const given = { ...outcome(index), result }
      await within(database, (rows) => rows.remember('c', String(index), given))
      assert.deepEqual(await recall(database, String(index)), { ...given, time: runtime.now() })
    }
  }),

  it('what is concluded replaces the outcome and keeps the time', async ({ database, runtime }) => {
    const time = runtime.now()
    const given = { stream: 't', version: 9, position: 8, count: 3, result: '"done"' }
    await remember(database, 'm1', 0)
    await remember(database, 'm2', 0)
    runtime.advance(5)
    assert.equal(await within(database, (rows) => rows.conclude('c', 'm1', given)), true)
    assert.deepEqual(await recall(database, 'm1'), { ...given, time })
    assert.deepEqual(await recall(database, 'm2'), { ...outcome(0), time })
    const bare = outcome(4)
    assert.equal(await within(database, (rows) => rows.conclude('c', 'm1', bare)), true)
    assert.deepEqual(await recall(database, 'm1'), { ...bare, time })
  }),

  it('what was not remembered cannot be concluded', async ({ database }) => {
    assert.equal(await within(database, (rows) => rows.conclude('c', 'm', outcome(1))), false)
    assert.equal(await recall(database, 'm'), undefined)
  }),
]

const trimming: readonly Case[] = [
  it('trimming removes what is older than a time, the oldest first, as much as asked for', async ({
    database,
    runtime,
  }) => {
    const start = runtime.now()
    for (const id of ['m3', 'm1', 'm2']) {
      await remember(database, id, 100)
      runtime.advance(10)
    }
    await within(database, (rows) => rows.remember('a', 'm9', outcome(1)))
    await remember(database, 'm0', 1)
    const trim = (after: number, limit = 100): Promise<number> =>
      within(database, (rows) => rows.trim(start + after, limit))
    const left = async (): Promise<string[]> => {
      const found: string[] = []
      for (const id of ['m0', 'm1', 'm2', 'm3'])
        if ((await recall(database, id)) !== undefined) found.push(id)
      return found
    }
    assert.equal(await trim(0), 0)
    assert.equal(await trim(30, 1), 1)
    assert.deepEqual(await left(), ['m0', 'm1', 'm2'])
    assert.equal(await trim(20), 1)
    assert.deepEqual(await left(), ['m0', 'm2'])
    assert.equal(await trim(31, 2), 2)
    assert.deepEqual(await left(), ['m0'], 'of the same time the first consumer goes first')
    assert.equal(await recall(database, 'm9', 'a'), undefined)
    assert.equal(await trim(30), 0)
  }),

  it('what was trimmed can be remembered again', async ({ database, runtime }) => {
    await remember(database, 'm1', 7)
    runtime.advance(5)
    assert.equal(await within(database, (rows) => rows.trim(runtime.now(), 10)), 1)
    assert.equal(await remember(database, 'm1', 8), true)
    assert.deepEqual(await recall(database, 'm1'), { ...outcome(8), time: runtime.now() })
  }),
]

export const inbox: readonly Case[] = [...remembering, ...asked, ...concluding, ...trimming]
