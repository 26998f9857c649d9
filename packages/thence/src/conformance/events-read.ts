/** Reading back: one stream, the whole log in pages, by id and correlation, the list of streams. */
import { strict as assert } from 'node:assert'
import type { Database } from '../ports/database.ts'
import type { Page, ReadAll, ReadStream, StreamInfo } from '../ports/events.ts'
import { type Case, casesOf } from './case.ts'
import { given, head, idsOf, message, messages, numbered, readAll } from './samples.ts'

const it = casesOf('events')

const streamReads: readonly [string, ReadStream, readonly number[]][] = [
  ['from the first', { limit: 9 }, [1, 2, 3, 4, 5]],
  ['at most as many as asked for', { limit: 2 }, [1, 2]],
  ['from a version, inclusive', { from: 3, limit: 9 }, [3, 4, 5]],
  ['from a version, limited', { from: 2, limit: 2 }, [2, 3]],
  ['from the last', { from: 5, limit: 9 }, [5]],
  ['from beyond the last', { from: 6, limit: 9 }, []],
  ['backwards from the last', { backwards: true, limit: 9 }, [5, 4, 3, 2, 1]],
  ['backwards, limited', { backwards: true, limit: 2 }, [5, 4]],
  ['backwards from a version, inclusive', { backwards: true, from: 3, limit: 2 }, [3, 2]],
  ['backwards from beyond the last', { backwards: true, from: 77, limit: 1 }, [5]],
  ['backwards from the first', { backwards: true, from: 1, limit: 9 }, [1]],
]

/** Five messages in `s` (positions 1, 3, 5, 7, 9) among five in `t`. */
const interleave = async (database: Database): Promise<void> => {
  for (const index of [1, 2, 3, 4, 5]) {
    await given(database, 's', [message(`s${index}`, { type: 'OfS' })])
    await given(database, 't', [message(`t${index}`, { type: 'OfT' })])
  }
}

const streams: readonly Case[] = [
  ...streamReads.map(([what, options, versions]) =>
    it(`a stream is read ${what}`, async ({ database }) => {
      await interleave(database)
      const read = await database.read(({ events }) => events.readStream('s', options))
      assert.deepEqual(
        read.map(({ version }) => version),
        versions,
      )
      assert.deepEqual(
        idsOf(read),
        versions.map((version) => `s${version}`),
      )
    }),
  ),

  it('a stream that does not exist is empty', async ({ database }) => {
    await interleave(database)
    const both = await database.read(async ({ events }) => [
      await events.readStream('none', { limit: 9 }),
      await events.readStream('none', { limit: 9, backwards: true }),
    ])
    assert.deepEqual(both, [[], []])
  }),
]

const ofS = [{ types: ['OfS'] }]

const pages: readonly [
  what: string,
  options: Omit<ReadAll, 'limit'> & { limit?: number },
  positions: readonly number[],
  through?: number,
][] = [
  ['without bounds', {}, [1, 2, 3, 4, 5, 6, 7, 8, 9, 10], 10],
  ['that is full', { limit: 3 }, [1, 2, 3], 3],
  ['after a position, exclusive', { after: 7 }, [8, 9, 10], 10],
  ['that just fits', { after: 7, limit: 3 }, [8, 9, 10], 10],
  ['after the head', { after: 10 }, [], 10],
  ['after a position beyond the head', { after: 12 }, [], 12],
  ['before a position, exclusive', { before: 4, limit: 3 }, [1, 2, 3], 3],
  ['between two positions', { after: 2, before: 6, limit: 2 }, [3, 4], 4],
  ['between neighbours', { after: 4, before: 5 }, []],
  ['of a query', { query: ofS }, [1, 3, 5, 7, 9], 10],
  ['of a query that is full', { query: ofS, limit: 2 }, [1, 3], 3],
  ['of a query that just fits', { query: ofS, limit: 5 }, [1, 3, 5, 7, 9], 9],
  ['of a query with nothing left', { query: ofS, after: 9 }, [], 10],
  ['of a query that nothing matches', { query: [{ types: ['None'] }] }, [], 10],
  ['backwards', { backwards: true }, [10, 9, 8, 7, 6, 5, 4, 3, 2, 1]],
  ['backwards that is full', { backwards: true, limit: 3 }, [10, 9, 8]],
  ['backwards before a position', { backwards: true, before: 4 }, [3, 2, 1]],
  ['backwards after a position', { backwards: true, after: 8 }, [10, 9]],
  ['backwards between two positions', { backwards: true, after: 2, before: 8, limit: 2 }, [7, 6]],
  ['backwards of a query', { backwards: true, query: ofS, before: 9, limit: 2 }, [7, 5]],
]

/** Follows `through` from page to page until a page is empty, as a subscription does. */
async function follow(database: Database, options: ReadAll): Promise<string[]> {
  const ids: string[] = []
  let page: Page | undefined
  for (let after = options.after ?? 0; page?.messages.length !== 0; after = page.through) {
    page = await readAll(database, { ...options, after })
    const moved = page.messages.length === 0 ? page.through >= after : page.through > after
    assert.equal(moved, true, `after ${after} came through ${page.through}`)
    ids.push(...idsOf(page.messages))
  }
  return ids
}

const log: readonly Case[] = [
  ...pages.map(([what, options, positions, through]) =>
    it(`a page of the log ${what}`, async ({ database }) => {
      await interleave(database)
      const page = await readAll(database, options)
      assert.deepEqual(
        page.messages.map(({ position }) => position),
        positions,
      )
      if (through !== undefined) assert.equal(page.through, through)
      assert.equal(page.more, positions.length === options.limit)
    }),
  ),

  it('an empty log is read through 0', async ({ database }) => {
    assert.deepEqual(await readAll(database), { messages: [], through: 0, more: false })
    assert.equal(await head(database), 0)
  }),

  it('through never claims what stands beyond `before`', async ({ database }) => {
    await interleave(database)
    const page = await readAll(database, { query: ofS, after: 1, before: 6 })
    assert.deepEqual(
      page.messages.map(({ position }) => position),
      [3, 5],
    )
    const rest = await readAll(database, { query: ofS, after: page.through })
    assert.deepEqual(
      rest.messages.map(({ position }) => position),
      [7, 9],
    )
  }),

  ...[1, 2, 3, 5, 10, 11].map((limit) =>
    it(`following pages of ${limit} gives every message once, in order`, async ({ database }) => {
      await interleave(database)
      const all = numbered('s', 5).flatMap((id, index) => [id, `t${index + 1}`])
      assert.deepEqual(await follow(database, { limit }), all)
      assert.deepEqual(await follow(database, { limit, query: ofS }), numbered('s', 5))
      assert.deepEqual(await follow(database, { limit, after: 4 }), all.slice(4))
    }),
  ),

  it('the head is the last position that was given', async ({ database }) => {
    await interleave(database)
    assert.equal(await head(database), 10)
  }),
]

const finding: readonly Case[] = [
  it('a message is found by its id', async ({ database }) => {
    await interleave(database)
    const find = (id: string): Promise<unknown> =>
      database.read(({ events }) => events.find({ id }))
    assert.deepEqual(await find('t2'), [
      { ...message('t2', { type: 'OfT' }), stream: 't', version: 2, position: 4 },
    ])
    assert.deepEqual(await find('T2'), [])
    assert.deepEqual(await find('none'), [])
  }),

  it('all messages of a correlation are found in order of position, its first message included', async ({
    database,
  }) => {
    await given(database, 's', messages('first', 'stranger'))
    await given(database, 't', [
      message('second', { correlationId: 'first', causationId: 'first' }),
    ])
    await given(database, 'u', [message('third', { correlationId: 'stranger' })])
    await given(database, 's', [
      message('fourth', { correlationId: 'first', causationId: 'third' }),
    ])
    const find = async (correlationId: string): Promise<string[]> =>
      idsOf(await database.read(({ events }) => events.find({ correlationId })))
    assert.deepEqual(await find('first'), ['first', 'second', 'fourth'])
    assert.deepEqual(await find('stranger'), ['stranger', 'third'])
    assert.deepEqual(await find('second'), [])
  }),
]

const list = (
  database: Database,
  options: { prefix?: string; after?: string; limit?: number },
): Promise<readonly StreamInfo[]> =>
  database.read(({ events }) => events.streams({ limit: 100, ...options }))

const listing: readonly Case[] = [
  it('a stream is listed with the version, position and time of its last message', async ({
    database,
  }) => {
    await given(database, 's', [message('a', { time: 5 }), message('b', { time: 9 })])
    await given(database, 't', [message('c', { time: 7 })])
    const whole = { trimmed: 0, tombstone: false }
    assert.deepEqual(await list(database, {}), [
      { stream: 's', version: 2, position: 2, time: 9, ...whole },
      { stream: 't', version: 1, position: 3, time: 7, ...whole },
    ])
  }),

  it('streams are listed by prefix, by name, after a name, as many as asked for', async ({
    database,
  }) => {
    const names = [
      'order-2',
      'order-10',
      'Order-1',
      'order',
      'order_x',
      'ord%',
      'cart-1',
      '\u{1f600}',
      '\uffee',
    ]
    for (const name of names) await given(database, name, messages(`in ${name}`))
    const listed = async (options: Parameters<typeof list>[1]): Promise<string[]> =>
      (await list(database, options)).map(({ stream }) => stream)
    assert.deepEqual(await listed({ prefix: 'order-' }), ['order-10', 'order-2'])
    assert.deepEqual(await listed({ prefix: 'order' }), ['order', 'order-10', 'order-2', 'order_x'])
    assert.deepEqual(await listed({ prefix: 'order_' }), ['order_x'])
    assert.deepEqual(await listed({ prefix: 'ord%' }), ['ord%'])
    assert.deepEqual(await listed({ prefix: 'order', after: 'order-10', limit: 1 }), ['order-2'])
    assert.deepEqual(await listed({ after: 'order_x' }), ['\uffee', '\u{1f600}'])
    assert.deepEqual(await listed({ prefix: 'x' }), [])
    assert.deepEqual(await listed({ limit: 2 }), ['Order-1', 'cart-1'])
  }),
]

export const eventsRead: readonly Case[] = [...streams, ...log, ...finding, ...listing]
