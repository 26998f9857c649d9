import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { NewMessage, Query, QueryItem, ReadAll } from '../../src/ports/events.ts'
import { message, store } from './kit.ts'

const name = (prefix: string) => fc.nat({ max: 3 }).map((index) => `${prefix}${index}`)

const log = fc.array(
  fc.record({ type: name('T'), tags: fc.uniqueArray(name('g'), { maxLength: 3 }) }),
  { minLength: 1, maxLength: 300, size: 'max' },
)

const item: fc.Arbitrary<QueryItem> = fc.record(
  {
    types: fc.array(name('T'), { maxLength: 2 }),
    tags: fc.array(name('g'), { maxLength: 3 }),
  },
  { requiredKeys: [] },
)

const read: fc.Arbitrary<ReadAll> = fc.record(
  {
    query: fc.array(item, { maxLength: 3 }),
    after: fc.nat({ max: 300 }),
    before: fc.nat({ max: 310 }),
    backwards: fc.boolean(),
    limit: fc.integer({ min: 1, max: 200 }),
  },
  { requiredKeys: ['limit'] },
)

const matches = (query: Query, { type, tags }: Pick<NewMessage, 'type' | 'tags'>): boolean =>
  query.length === 0 ||
  query.some(
    (one) =>
      (one.types === undefined || one.types.includes(type)) &&
      (one.tags ?? []).every((tag) => tags.includes(tag)),
  )

/** What a scan of the whole log finds. */
const scan = (
  messages: readonly Pick<NewMessage, 'type' | 'tags'>[],
  { query = [], after = 0, before = Infinity, backwards, limit }: ReadAll,
): number[] => {
  const found = messages
    .map((one, index) => ({ position: index + 1, fits: matches(query, one) }))
    .filter(({ position, fits }) => fits && position > after && position < before)
    .map(({ position }) => position)
  return (backwards === true ? found.reverse() : found).slice(0, limit)
}

test('leapfrogging over the indexes finds what a scan of the log finds', async () => {
  await fc.assert(
    fc.asyncProperty(
      log,
      fc.array(read, { minLength: 10, maxLength: 30 }),
      async (given, reads) => {
        const database = await store(':memory:')
        await database.append(given.map((one) => ({ stream: 's', messages: [message(one)] })))
        for (const options of reads) {
          const { messages } = await database.read(({ events }) => events.readAll(options))
          expect(messages.map(({ position }) => position)).toEqual(scan(given, options))
        }
        await database.close()
      },
    ),
    { numRuns: 60 },
  )
})
