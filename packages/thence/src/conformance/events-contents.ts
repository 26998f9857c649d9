/** Messages come back as they were given, whatever text they hold, and cannot be changed afterwards. */
import { strict as assert } from 'node:assert'
import { type Case, casesOf } from './case.ts'
import {
  given,
  hostileJson,
  hostileNames,
  judge,
  message,
  messages,
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

export const eventsContents: readonly Case[] = [
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
