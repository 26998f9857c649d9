/** Appending: what is written, where it stands, and how it comes back. */
import { strict as assert } from 'node:assert'
import { type Case, casesOf } from './case.ts'
import {
  given,
  head,
  hostileJson,
  hostileNames,
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

const full = message('full', {
  kind: 'command',
  type: 'Place order',
  schemaVersion: 7,
  data: '{"amount":42}',
  correlationId: 'the-first',
  causationId: 'the-one-before',
  metadata: '{"user":{"tenant":"t1"}}',
  tags: ['order:7', 'customer:c1', 'a'],
  time: 1_767_225_600_123,
})

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

const contents: readonly Case[] = [
  it('every field of a message comes back as it was given', async ({ database }) => {
    await given(database, 's', [message('plain'), full])
    assert.deepEqual(await readStream(database, 's'), [
      { ...message('plain'), stream: 's', version: 1, position: 1 },
      { ...full, stream: 's', version: 2, position: 2 },
    ])
  }),

  it('data and metadata come back byte for byte', async ({ database }) => {
    const rows = hostileJson.map((data, index) => message(`m${index}`, { data, metadata: data }))
    await given(database, 's', rows)
    const stored = await readStream(database, 's')
    assert.deepEqual(
      stored.map(({ data }) => data),
      hostileJson,
    )
    assert.deepEqual(
      stored.map(({ metadata }) => metadata),
      hostileJson,
    )
  }),

  it('a message of one mebibyte comes back whole', async ({ database }) => {
    const data = JSON.stringify('é'.repeat(512 * 1024))
    await given(database, 's', [message('big', { data })])
    assert.equal((await readStream(database, 's'))[0]?.data === data, true)
  }),

  it('streams whose names differ in case, blanks or accents are different streams', async ({
    database,
  }) => {
    for (const [index, stream] of hostileNames.entries()) {
      const verdict = await judge(database, {
        stream,
        expected: 'none',
        messages: messages(`m${index}`),
      })
      assert.equal(verdict.outcome, 'appended', JSON.stringify(stream))
    }
    for (const [index, stream] of hostileNames.entries()) {
      const stored = await readStream(database, stream)
      assert.deepEqual(
        stored.map(({ id, stream: of }) => [id, of]),
        [[`m${index}`, stream]],
      )
    }
  }),

  it('ids, types, tags and correlations may be any text', async ({ database }) => {
    const rows = hostileNames.map((name) =>
      message(name, {
        type: name,
        tags: [name, `${name}!`],
        correlationId: name,
        causationId: name,
      }),
    )
    await given(database, 's', rows)
    const stored = await readStream(database, 's')
    assert.deepEqual(
      stored,
      rows.map((row, index) => ({ ...row, stream: 's', version: index + 1, position: index + 1 })),
    )
  }),

  it('times may be any whole number of milliseconds', async ({ database }) => {
    const times = [0, 1, -1, 8_640_000_000_000_000, Number.MAX_SAFE_INTEGER]
    await given(
      database,
      's',
      times.map((time, index) => message(`m${index}`, { time })),
    )
    assert.deepEqual(
      (await readStream(database, 's')).map(({ time }) => time),
      times,
    )
  }),

  it('what was appended cannot be changed through the request nor through what is read', async ({
    database,
  }) => {
    const tags = ['a']
    const request = { ...message('m', { tags }) }
    await given(database, 's', [request])
    tags.push('b')
    Object.assign(request, { data: '"changed"' })
    const [stored] = await readStream(database, 's')
    const tamper = (): void => {
      Object.assign(stored ?? {}, { data: '"changed"', version: 9 })
    }
    try {
      tamper()
    } catch {
      // A frozen message refuses; a copy does not mind.
    }
    const expected = { ...message('m', { tags: ['a'] }), stream: 's', version: 1, position: 1 }
    assert.deepEqual(await readStream(database, 's'), [expected])
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

export const eventsAppend: readonly Case[] = [...places, ...contents, ...inTransactions]
