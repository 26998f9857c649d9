/** How large the store is: exact for the log, whenever it was measured, and through every removal. */
import { strict as assert } from 'node:assert'
import type { Database } from '../ports/database.ts'
import type { CategorySize, StoreSize } from '../ports/sizes.ts'
import { type Case, casesOf } from './case.ts'
import { writeEverything } from './everything.ts'
import { given, message, messages, within } from './samples.ts'

const it = casesOf('sizes')

const sizes = (database: Database, most = 1000): Promise<StoreSize> =>
  database.read((transaction) => transaction.sizes.read(most))

const categories = async (database: Database): Promise<readonly CategorySize[]> =>
  (await sizes(database)).categories

const measure = (database: Database, limit = 1000): Promise<number> =>
  within(database, (transaction) => transaction.sizes.measure(limit))

const trim = (database: Database, stream: string, through: number): Promise<number> =>
  within(database, ({ events }) => events.trim(stream, { through, limit: 100 }))

/** Ten bytes of data. */
const sized = (id: string, metadata: string | null = null) =>
  message(id, { data: '"12345678"', metadata })

const row = (category: string, change: Partial<CategorySize>): CategorySize => ({
  category,
  messages: 0,
  bytes: 0,
  streams: 0,
  removed: 0,
  truncated: 0,
  ...change,
})

/** When the log is measured: never, at each step, or in pieces. */
const ways: readonly [string, (database: Database) => Promise<unknown>][] = [
  ['that was never measured', async () => undefined],
  ['that is measured at each step', (database) => measure(database)],
  ['that is measured in pieces', (database) => measure(database, 1)],
]

export const sizesCases: readonly Case[] = [
  it('an empty store has no category and no rows', async ({ database }) => {
    const found = await sizes(database)
    assert.deepEqual(found.categories, [])
    const counts = Object.values(found.tables)
    assert.equal(
      counts.every(({ rows, more }) => rows === 0 && !more),
      true,
    )
    assert.equal(found.bytes >= 0, true)
  }),

  ...ways.map(([what, step]) =>
    it(`messages, bytes and streams are told by category, of a log ${what}`, async ({
      database,
    }) => {
      await given(database, 'order-1', [sized('a'), sized('b', '{"k":"日"}')])
      await step(database)
      await given(database, 'order-2', [sized('c')])
      await given(database, 'order-2-x', [sized('d')])
      await given(database, 'log', [sized('e')])
      await step(database)
      await given(database, '-odd', [message('f', { data: '"\u{1f600}"' })])
      const before = [
        row('', { messages: 1, bytes: 6, streams: 1 }),
        row('log', { messages: 1, bytes: 10, streams: 1 }),
        row('order', { messages: 4, bytes: 51, streams: 3 }),
      ]
      assert.deepEqual(await categories(database), before)
      await step(database)
      assert.deepEqual(await categories(database), before)
    }),
  ),

  ...ways.map(([what, step]) =>
    it(`removed messages are told, of a log ${what}`, async ({ database }) => {
      await given(database, 'order-1', [sized('a'), sized('b'), sized('c')])
      await given(database, 'order-2', [sized('d')])
      await step(database)
      await given(database, 'order-3', [sized('e'), sized('f')])
      await trim(database, 'order-1', 2)
      await trim(database, 'order-3', 1)
      const some = row('order', { messages: 3, bytes: 30, streams: 3, removed: 3, truncated: 5 })
      assert.deepEqual(await categories(database), [some])
      await step(database)
      assert.deepEqual(await categories(database), [some])
      await trim(database, 'order-1', 3)
      await trim(database, 'order-2', 1)
      await trim(database, 'order-3', 2)
      await step(database)
      const none = row('order', { streams: 3, removed: 6, truncated: 6 })
      assert.deepEqual(await categories(database), [none])
      await given(database, 'order-3', [sized('g')])
      await step(database)
      const again = { ...none, messages: 1, bytes: 10 }
      assert.deepEqual(await categories(database), [again])
    }),
  ),

  it('measuring in pieces comes to an end', async ({ database }) => {
    await given(database, 's', messages('a', 'b', 'c', 'd', 'e'))
    let left = 1
    for (let times = 0; left > 0; times += 1) {
      assert.equal(times < 6, true, 'it never ends')
      left = await measure(database, 2)
    }
    assert.deepEqual((await categories(database))[0]?.messages, 5)
  }),

  it('what was measured comes back with a rollback', async ({ database }) => {
    await given(database, 'a-1', messages('a', 'b'))
    await measure(database)
    const before = await categories(database)
    const undo = new Error('undo')
    const work = within(database, async (transaction) => {
      await transaction.events.append({ stream: 'a-2', messages: messages('c') })
      await transaction.sizes.measure(10)
      await transaction.events.trim('a-1', { through: 2, limit: 9 })
      throw undo
    })
    await assert.rejects(work, undo)
    assert.deepEqual(await categories(database), before)
    await given(database, 'a-2', messages('c'))
    await measure(database)
    const [all] = await categories(database)
    assert.deepEqual([all?.messages, all?.streams, all?.removed], [3, 2, 0])
  }),

  it('rows of every table are counted', async ({ database }) => {
    for (const name of ['x', 'y', 'z'])
      await within(database, (transaction) => writeEverything(transaction, name))
    const { tables } = await sizes(database)
    for (const [name, { rows, more }] of Object.entries(tables))
      assert.deepEqual([name, rows > 0, more], [name, true, false])
    assert.equal(tables.documents.rows, 5)
    assert.equal(tables.deadLetters.rows, 3)
  }),

  it('counting rows ends at the bound, and says so', async ({ database }) => {
    for (const key of ['a', 'b', 'c'])
      await within(database, ({ documents }) => documents.put('c', key, '1'))
    const documentsOf = async (most: number): Promise<unknown> =>
      (await sizes(database, most)).tables.documents
    assert.deepEqual(await documentsOf(2), { rows: 2, more: true })
    assert.deepEqual(await documentsOf(3), { rows: 3, more: false })
  }),
]
