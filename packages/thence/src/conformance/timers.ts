/** Timers: set and replaced by id, given when due in order, cancelled one by one or by owner. */
import { strict as assert } from 'node:assert'
import type { Database } from '../ports/database.ts'
import type { Timer, Timers } from '../ports/timers.ts'
import { type Case, casesOf } from './case.ts'
import { hostileJson, hostileNames, message } from './samples.ts'

const it = casesOf('timers')

const timer = (id: string, due: number, change: Partial<Timer> = {}): Timer => ({
  id,
  owner: 'saga-1',
  due,
  stream: 's',
  message: message(`of ${id}`),
  ...change,
})

const within = <T>(database: Database, work: (timers: Timers) => T | Promise<T>): Promise<T> =>
  database.transact(({ timers: rows }) => work(rows))

const set = (database: Database, ...rows: readonly Timer[]): Promise<void> =>
  within(database, async (timers) => {
    for (const row of rows) await timers.set(row)
  })

const due = async (database: Database, now: number, limit = 100): Promise<string[]> =>
  (await within(database, (rows) => rows.due(now, limit))).map(({ id }) => id)

const all = (database: Database): Promise<readonly Timer[]> =>
  database.read(({ timers: rows }) => rows.list({ limit: 100 }))

const setting: readonly Case[] = [
  it('a timer comes back as it was set, message and all', async ({ database }) => {
    const full = timer('t1', 500, {
      stream: "s'1",
      message: message('m', {
        kind: 'command',
        type: 'Remind',
        schemaVersion: 3,
        data: hostileJson[7] ?? '',
        correlationId: 'c',
        causationId: 'd',
        metadata: '{"a": 1}',
        tags: ['x', 'y'],
        time: 77,
      }),
    })
    await set(database, full, timer('t2', 600))
    assert.deepEqual(await within(database, (rows) => rows.due(600, 9)), [full, timer('t2', 600)])
    assert.deepEqual(await all(database), [full, timer('t2', 600)])
  }),

  it('setting a timer again replaces it', async ({ database }) => {
    await set(database, timer('t1', 500), timer('t1', 900, { owner: 'saga-2', stream: 'other' }))
    assert.deepEqual(await all(database), [timer('t1', 900, { owner: 'saga-2', stream: 'other' })])
    assert.deepEqual(await due(database, 500), [])
    assert.equal(await within(database, (rows) => rows.cancelAll('saga-1')), 0)
  }),

  it('timers whose ids look alike are apart', async ({ database }) => {
    await set(database, ...hostileNames.map((id, index) => timer(id, index)))
    assert.deepEqual(await due(database, 1000), hostileNames)
    for (const id of hostileNames)
      assert.equal(await within(database, (rows) => rows.cancel(id)), true)
    assert.deepEqual(await all(database), [])
  }),

  it('a timer that was set cannot be changed from outside', async ({ database }) => {
    const tags = ['a']
    await set(database, timer('t1', 500, { message: message('m', { tags }) }))
    tags.push('b')
    assert.deepEqual((await all(database))[0]?.message.tags, ['a'])
  }),
]

const firing: readonly Case[] = [
  it('timers are due at their time and not before, by due time, then id', async ({ database }) => {
    await set(
      database,
      timer('d', 300),
      timer('c', 100),
      timer('b', 200),
      timer('a', 200),
      timer('e', 301),
    )
    assert.deepEqual(await due(database, 300), ['c', 'a', 'b', 'd'])
    assert.deepEqual(await due(database, 299), ['c', 'a', 'b'])
    assert.deepEqual(await due(database, 300, 2), ['c', 'a'])
    assert.deepEqual(await due(database, 99), [])
  }),

  it('asking what is due changes nothing', async ({ database }) => {
    await set(database, timer('a', 200))
    assert.deepEqual(await due(database, 200), ['a'])
    assert.deepEqual(await due(database, 200), ['a'])
  }),

  it('the next timer is the one that is due first', async ({ database }) => {
    const next = (): Promise<number | undefined> => database.read(({ timers: rows }) => rows.next())
    assert.equal(await next(), undefined)
    await set(database, timer('a', 900), timer('b', 200), timer('c', 500))
    assert.equal(await next(), 200)
    await within(database, (rows) => rows.cancel('b'))
    assert.equal(await next(), 500)
  }),

  it('a timer that fires removes itself and appends its message in one transaction', async ({
    database,
  }) => {
    await set(database, timer('a', 200))
    const fire = (): Promise<number> =>
      database.transact(async ({ timers: rows, events }) => {
        const fired = await rows.due(200, 9)
        for (const one of fired) {
          await rows.cancel(one.id)
          await events.append({ stream: one.stream, messages: [one.message] })
        }
        return fired.length
      })
    assert.deepEqual(await Promise.all([fire(), fire(), fire()]), [1, 0, 0])
    assert.equal(await database.read(({ events }) => events.head()), 1)
  }),
]

const cancelling: readonly Case[] = [
  it('cancelling removes one timer and tells whether it was there', async ({ database }) => {
    await set(database, timer('a', 1), timer('b', 2))
    const cancel = (id: string): Promise<boolean> => within(database, (rows) => rows.cancel(id))
    assert.deepEqual(
      [await cancel('a'), await cancel('a'), await cancel('A')],
      [true, false, false],
    )
    assert.deepEqual(await due(database, 9), ['b'])
  }),

  it('cancelling by owner removes all of its timers and counts them', async ({ database }) => {
    await set(database, timer('a', 1), timer('b', 2), timer('c', 3, { owner: 'saga-10' }))
    const cancelAll = (owner: string): Promise<number> =>
      within(database, (rows) => rows.cancelAll(owner))
    assert.deepEqual(
      [await cancelAll('saga-1'), await cancelAll('saga-1'), await cancelAll('x')],
      [2, 0, 0],
    )
    assert.deepEqual(await due(database, 9), ['c'])
  }),

  it('timers are listed by id, after an id, as many as asked for', async ({ database }) => {
    await set(database, timer('b', 1), timer('\u{1f600}', 2), timer('a', 3), timer('\uffee', 4))
    const list = async (options: { after?: string; limit: number }): Promise<string[]> =>
      (await database.read(({ timers: rows }) => rows.list(options))).map(({ id }) => id)
    assert.deepEqual(await list({ limit: 9 }), ['a', 'b', '\uffee', '\u{1f600}'])
    assert.deepEqual(await list({ limit: 1 }), ['a'])
    assert.deepEqual(await list({ after: 'a', limit: 1 }), ['b'])
    assert.deepEqual(await list({ after: '\uffee', limit: 9 }), ['\u{1f600}'])
  }),
]

export const timers: readonly Case[] = [...setting, ...firing, ...cancelling]
