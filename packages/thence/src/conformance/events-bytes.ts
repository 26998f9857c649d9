/** Pages of the log that are bounded by bytes: they end early, say so, and never stand still. */
import { strict as assert } from 'node:assert'
import type { Database } from '../ports/database.ts'
import type { ReadAll, ReadStream } from '../ports/events.ts'
import { type Case, casesOf } from './case.ts'
import { given, idsOf, message, readAll } from './samples.ts'

const it = casesOf('events')

/** JSON text of so many bytes. */
const sized = (bytes: number, character = 'x'): string =>
  JSON.stringify(character.repeat((bytes - 2) / Buffer.byteLength(character)))

/** Ten messages at positions 1 to 10: even ones of type Big with 100 bytes, odd ones of type Small with 10. */
const alternate = async (database: Database): Promise<void> => {
  for (let position = 1; position <= 10; position += 1) {
    const big = position % 2 === 0
    const change = { type: big ? 'Big' : 'Small', tags: ['all'], data: sized(big ? 100 : 10) }
    await given(database, `s${position % 3}`, [message(`m${position}`, change)])
  }
}

const types = (...names: readonly string[]): Pick<ReadAll, 'query'> => ({
  query: [{ types: names }],
})
const tags: Pick<ReadAll, 'query'> = { query: [{ tags: ['all'] }] }

const ways: readonly [what: string, of: Partial<ReadAll>][] = [
  ['of the whole log', {}],
  ['of types', types('Big', 'Small')],
  ['of a tag', tags],
]

const many: readonly string[] = Array.from({ length: 40 }, (_, index) => `None${index}`)

const pages: readonly [
  what: string,
  options: Partial<ReadAll>,
  positions: readonly number[],
  through?: number,
][] = [
  ...ways.flatMap(([what, of]): (typeof pages)[number][] => [
    [`${what} that ends before it is too large`, { ...of, maxBytes: 219 }, [1, 2, 3], 3],
    [`${what} that just fits`, { ...of, maxBytes: 220 }, [1, 2, 3, 4], 4],
    [`${what} that begins with one too large`, { ...of, after: 1, maxBytes: 5 }, [2], 2],
    [`${what} with no room at all`, { ...of, maxBytes: 0 }, [1], 1],
    [
      `${what} that is full by count first`,
      { ...of, after: 4, limit: 2, maxBytes: 900 },
      [5, 6],
      6,
    ],
    [`${what} near its end`, { ...of, after: 6, maxBytes: 119 }, [7, 8], 8],
    [`${what}, backwards`, { ...of, backwards: true, maxBytes: 215 }, [10, 9, 8]],
  ]),
  ['of one type', { ...types('Big'), maxBytes: 250 }, [2, 4], 4],
  ['of one type near the end', { ...types('Big'), after: 5, maxBytes: 199 }, [6], 6],
  ['of many types', { ...types('Big', ...many), maxBytes: 250 }, [2, 4], 4],
  ['before a position', { before: 6, maxBytes: 120 }, [1, 2, 3], 3],
]

export const eventsBytes: readonly Case[] = [
  ...pages.map(([what, options, positions, through]) =>
    it(`a page bounded by bytes ${what}`, async ({ database }) => {
      await alternate(database)
      const page = await readAll(database, options)
      assert.deepEqual(
        page.messages.map(({ position }) => position),
        positions,
      )
      if (through !== undefined) assert.equal(page.through, through)
      assert.equal(page.more, true)
    }),
  ),

  it('a page that all of it fits into says that there is no more', async ({ database }) => {
    await alternate(database)
    for (const [, of] of ways) {
      const page = await readAll(database, { ...of, maxBytes: 550 })
      assert.deepEqual([page.messages.length, page.through, page.more], [10, 10, false])
    }
  }),

  it('a stream is read in parts that are bounded by bytes, until none comes', async ({
    database,
  }) => {
    await alternate(database)
    const read = (options: Omit<ReadStream, 'limit'>): Promise<number[]> =>
      database.read(async ({ events }) =>
        (await events.readStream('s1', { limit: 9, ...options })).map(({ position }) => position),
      )
    assert.deepEqual(await read({ maxBytes: 119 }), [1, 4])
    assert.deepEqual(await read({ from: 3, maxBytes: 119 }), [7, 10])
    assert.deepEqual(await read({ from: 2, maxBytes: 5 }), [4])
    assert.deepEqual(await read({ from: 3, maxBytes: 0 }), [7])
    assert.deepEqual(await read({ from: 5, maxBytes: 0 }), [])
    assert.deepEqual(await read({ backwards: true, maxBytes: 110 }), [10, 7])
    assert.deepEqual(await read({ backwards: true, from: 2, maxBytes: 109 }), [4])
    assert.deepEqual(await read({ maxBytes: 220 }), [1, 4, 7, 10])
    assert.deepEqual(await read({ maxBytes: 1, from: 0 }), [1])
  }),

  it('bytes are those of data and metadata in UTF-8', async ({ database }) => {
    await given(database, 's', [
      message('a', { data: sized(11, '\u65e5'), metadata: sized(8, '\u00e9') }),
      message('b', { data: sized(10, '\u{1f600}') }),
      message('c', { data: '1' }),
    ])
    for (const query of [{}, types('Noted')]) {
      const ids = async (maxBytes: number): Promise<string[]> =>
        idsOf((await readAll(database, { ...query, maxBytes })).messages)
      assert.deepEqual(await ids(28), ['a'])
      assert.deepEqual(await ids(29), ['a', 'b'])
      assert.deepEqual(await ids(30), ['a', 'b', 'c'])
    }
  }),

  it('following pages bounded by bytes gives every message once, in order', async ({
    database,
  }) => {
    await alternate(database)
    for (const maxBytes of [1, 50, 110, 111, 300, 1000])
      for (const [, of] of ways) {
        const ids: string[] = []
        for (let after = 0, more = true; more;) {
          const page = await readAll(database, { ...of, after, maxBytes, limit: 4 })
          assert.equal(page.more ? page.messages.length > 0 : true, true)
          ids.push(...idsOf(page.messages))
          after = page.through
          more = page.more
        }
        assert.deepEqual(
          ids,
          Array.from({ length: 10 }, (_, index) => `m${index + 1}`),
        )
      }
  }),
]
