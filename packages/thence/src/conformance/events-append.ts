/** Appending: where what is written stands, and what a transaction sees of its own. */
import { strict as assert } from 'node:assert'
import { type Case, casesOf } from './case.ts'
import {
  given,
  head,
  idsOf,
  judge,
  message,
  messages,
  numbered,
  outcomes,
  readAll,
  readStream,
} from './samples.ts'

const it = casesOf('events')

const places: readonly Case[] = [
  it('an append tells the version and position of its last message, and how many it wrote', async ({
    database,
  }) => {
    const verdict = await judge(database, { stream: 's', messages: messages('a', 'b') })
    assert.deepEqual(verdict, {
      outcome: 'appended',
      stream: 's',
      version: 2,
      position: 2,
      count: 2,
    })
  }),

  it('versions count from 1 in each stream, without gaps', async ({ database }) => {
    await given(database, 's', messages('a', 'b'))
    await given(database, 't', messages('c'))
    await given(database, 's', messages('d'))
    const versions = async (stream: string): Promise<(string | number)[][]> =>
      (await readStream(database, stream)).map(({ id, version }) => [id, version])
    assert.deepEqual(await versions('s'), [
      ['a', 1],
      ['b', 2],
      ['d', 3],
    ])
    assert.deepEqual(await versions('t'), [['c', 1]])
  }),

  it('positions count from 1 over all streams, without gaps for a single writer', async ({
    database,
  }) => {
    await given(database, 's', messages('a', 'b'))
    await database.append([
      { stream: 't', messages: messages('c') },
      { stream: 's', messages: messages('d') },
    ])
    const { messages: all } = await readAll(database)
    assert.deepEqual(
      all.map(({ id, position }) => [id, position]),
      [
        ['a', 1],
        ['b', 2],
        ['c', 3],
        ['d', 4],
      ],
    )
  }),

  it('a thousand messages of one append stand in their order', async ({ database }) => {
    const ids = numbered('m', 1000)
    const appended = await given(
      database,
      's',
      ids.map((id) => message(id, { tags: ['x', id] })),
    )
    assert.equal(appended.version, 1000)
    const stored = await readStream(database, 's')
    assert.deepEqual(idsOf(stored), ids)
    assert.deepEqual(stored.at(-1)?.tags, ['x', 'm1000'])
  }),

  it('a batch of a thousand requests gets a thousand verdicts in its order', async ({
    database,
  }) => {
    const requests = numbered('s', 1000).map((stream) => ({
      stream,
      messages: messages(`of ${stream}`),
    }))
    const verdicts = await database.append(requests)
    const got = verdicts.map((verdict) => verdict.outcome === 'appended' && verdict.stream)
    assert.deepEqual(
      got,
      requests.map(({ stream }) => stream),
    )
  }),

  it('an append of no requests gives no verdicts', async ({ database }) => {
    assert.deepEqual(await database.append([]), [])
    assert.equal(await head(database), 0)
  }),

  it('a request without messages writes nothing and tells where the stream and the log stand', async ({
    database,
  }) => {
    await given(database, 's', messages('a'))
    await given(database, 't', messages('b'))
    const verdict = await judge(database, {
      stream: 's',
      once: { consumer: 'c', id: '1' },
      messages: [],
    })
    assert.deepEqual(verdict, {
      outcome: 'appended',
      stream: 's',
      version: 1,
      position: 2,
      count: 0,
    })
    const fresh = await judge(database, {
      stream: 'new',
      once: { consumer: 'c', id: '2' },
      messages: [],
    })
    assert.deepEqual(fresh, {
      outcome: 'appended',
      stream: 'new',
      version: 0,
      position: 2,
      count: 0,
    })
    assert.equal(await head(database), 2)
  }),
]

const inTransactions: readonly Case[] = [
  it('a transaction sees its own appends', async ({ database }) => {
    await given(database, 's', messages('a'))
    await database.transact(async ({ events }) => {
      await events.append({ stream: 's', messages: messages('b') })
      assert.deepEqual(idsOf(await events.readStream('s', { limit: 9 })), ['a', 'b'])
      assert.deepEqual(idsOf((await events.readAll({ after: 1, limit: 9 })).messages), ['b'])
      assert.equal(await events.head(), 2)
      assert.deepEqual(idsOf(await events.find({ id: 'b' })), ['b'])
      assert.equal((await events.streams({ limit: 9 }))[0]?.version, 2)
    })
  }),

  it('a refused append leaves no trace and the transaction goes on', async ({ database }) => {
    const verdicts = await database.transact(async ({ events }) => [
      await events.append({ stream: 's', messages: messages('a') }),
      await events.append({ stream: 's', expected: 'none', messages: messages('b') }),
      await events.append({ stream: 's', messages: [message('a', { data: '"other"' })] }),
      await events.append({ stream: 's', expected: 1, messages: messages('c') }),
    ])
    assert.deepEqual(outcomes(verdicts), ['appended', 'conflict', 'id-reused', 'appended'])
    const { messages: all } = await readAll(database)
    assert.deepEqual(
      all.map(({ id, position }) => [id, position]),
      [
        ['a', 1],
        ['c', 2],
      ],
    )
  }),

  it('positions grow over a rolled back append', async ({ database }) => {
    await given(database, 's', messages('a'))
    const rollback = database.transact(async ({ events }) => {
      await events.append({ stream: 's', messages: messages('b', 'c') })
      throw new Error('roll back')
    })
    await assert.rejects(rollback)
    const { version, position } = await given(database, 's', messages('d'))
    assert.equal(version, 2)
    assert.equal(position > 1, true)
    assert.deepEqual(idsOf((await readAll(database, { after: 1 })).messages), ['d'])
  }),

  it('an id that was rolled back is free again', async ({ database }) => {
    const rollback = database.transact(async ({ events }) => {
      await events.append({ stream: 's', messages: messages('a') })
      throw new Error('roll back')
    })
    await assert.rejects(rollback)
    const verdict = await judge(database, {
      stream: 't',
      messages: [message('a', { data: '"other"' })],
    })
    assert.equal(verdict.outcome, 'appended')
  }),
]

export const eventsAppend: readonly Case[] = [...places, ...inTransactions]
