/** Timers: set and replaced by id, given when due in order, cancelled one by one or by owner. */
import { strict as assert } from 'node:assert'
import { type Case, casesOf } from './case.ts'
import { hostileJson, hostileNames, message } from './samples.ts'
import { all, due, find, kept, set, timer, wait, within } from './timer-samples.ts'

const it = casesOf('timers')

const setting: readonly Case[] = [
  it('a timer comes back as it was set, message and all', async ({ database }) => {
    const full = {
      ...timer('t1', 500),
      due: 500,
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
    }
    await set(database, full, timer('t2', 600))
    const expected = [kept(full), kept({ ...timer('t2', 600), due: 600 })]
    assert.deepEqual(await within(database, (rows) => rows.due({ limit: 9 })), expected)
    assert.deepEqual(await all(database), expected)
    assert.deepEqual(await find(database, 't1'), expected[0])
    assert.equal(await find(database, 'T1'), undefined)
  }),

  it('a timer is set from now by the clock of the database', async ({ database, runtime }) => {
    const now = runtime.now()
    const given = await within(database, async (rows) => [
      await rows.now(),
      await rows.set(timer('in', { in: 250 })),
      await rows.set(timer('at', 70)),
    ])
    assert.deepEqual(given, [now, now + 250, 70])
    assert.deepEqual(
      [(await find(database, 'in'))?.due, (await find(database, 'at'))?.due],
      given.slice(1),
    )
  }),

  it('setting a timer again replaces it', async ({ database }) => {
    await set(database, timer('t1', 500), timer('t1', 900, { owner: 'saga-2', stream: 'other' }))
    const expected = kept({ ...timer('t1', 900, { owner: 'saga-2', stream: 'other' }), due: 900 })
    assert.deepEqual(await all(database), [expected])
    assert.equal(await within(database, (rows) => rows.cancelAll('saga-1')), 0)
  }),

  it('timers whose ids look alike are apart', async ({ database }) => {
    await set(database, ...hostileNames.map((id, index) => timer(id, index)))
    assert.deepEqual([...(await due(database))].sort(), [...hostileNames].sort())
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
  it('timers are due at their time by the clock of the database, by time, then id', async ({
    database,
    runtime,
  }) => {
    const now = runtime.now()
    await set(
      database,
      timer('d', now + 300),
      timer('c', now + 100),
      timer('b', now + 200),
      timer('a', now + 200),
      timer('e', now + 301),
      timer('\u{1f600}', now + 200),
      timer('\uffee', now + 200),
    )
    assert.deepEqual(await due(database), [])
    runtime.advance(99)
    assert.deepEqual(await due(database), [])
    runtime.advance(200)
    assert.deepEqual(await due(database), ['c', 'a', 'b', '\uffee', '\u{1f600}'])
    runtime.advance(1)
    assert.deepEqual(await due(database, 2), ['c', 'a'])
    assert.deepEqual(await due(database, 9, { next: now + 200, id: 'a' }), [
      'b',
      '\uffee',
      '\u{1f600}',
      'd',
    ])
  }),

  it('a time before the beginning of time is due', async ({ database }) => {
    await set(database, timer('zero', 0), timer('before', -5000))
    assert.deepEqual(await due(database), ['before', 'zero'])
    assert.equal((await find(database, 'before'))?.due, -5000)
  }),

  it('asking what is due changes nothing', async ({ database }) => {
    await set(database, timer('a', 200))
    assert.deepEqual(await due(database), ['a'])
    assert.deepEqual(await due(database), ['a'])
  }),

  it('the wait is for the first timer that is not due yet', async ({ database, runtime }) => {
    const now = runtime.now()
    assert.equal(await wait(database), undefined)
    await set(database, timer('a', now + 900), timer('b', now + 200), timer('c', now + 500))
    assert.equal(await wait(database), 200)
    runtime.advance(150)
    assert.equal(await wait(database), 50)
    runtime.advance(50)
    assert.equal(await wait(database), 300)
    await within(database, (rows) => rows.cancel('c'))
    assert.equal(await wait(database), 700)
    runtime.advance(1000)
    assert.equal(await wait(database), undefined)
  }),

  it('a timer that fires removes itself and appends its message in one transaction', async ({
    database,
  }) => {
    await set(database, timer('a', 200))
    const fire = (): Promise<number> =>
      database.transact(async ({ timers: rows, events }) => {
        const fired = await rows.due({ limit: 9 })
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
    assert.deepEqual(await due(database), ['b'])
  }),

  it('cancelling by owner removes all of its timers and counts them', async ({ database }) => {
    await set(database, timer('a', 1), timer('b', 2), timer('c', 3, { owner: 'saga-10' }))
    const cancelAll = (owner: string): Promise<number> =>
      within(database, (rows) => rows.cancelAll(owner))
    assert.deepEqual(
      [await cancelAll('saga-1'), await cancelAll('saga-1'), await cancelAll('x')],
      [2, 0, 0],
    )
    assert.deepEqual(await due(database), ['c'])
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
