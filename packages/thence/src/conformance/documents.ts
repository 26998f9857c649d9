/** Documents: keyed text in collections, listed by the UTF-8 bytes of their keys. */
import { strict as assert } from 'node:assert'
import type { Database } from '../ports/database.ts'
import type { Document, Documents } from '../ports/documents.ts'
import { type Case, casesOf } from './case.ts'
import { hostileJson, hostileNames, numbered } from './samples.ts'

const it = casesOf('documents')

const within = <T>(
  database: Database,
  work: (documents: Documents) => T | Promise<T>,
): Promise<T> => database.transact(({ documents: all }) => work(all))

const put = (database: Database, keys: readonly string[], collection = 'c'): Promise<void> =>
  within(database, async (all) => {
    for (const key of keys) await all.put(collection, key, JSON.stringify(key))
  })

const get = (database: Database, key: string, collection = 'c'): Promise<string | undefined> =>
  database.read(({ documents: all }) => all.get(collection, key))

const list = (
  database: Database,
  options: { prefix?: string; after?: string; limit?: number } = {},
): Promise<readonly Document[]> =>
  database.read(({ documents: all }) => all.list('c', { limit: 1000, ...options }))

const keys = async (...parameters: Parameters<typeof list>): Promise<string[]> =>
  (await list(...parameters)).map(({ key }) => key)

const byUtf8 = (left: string, right: string): number =>
  Buffer.compare(Buffer.from(left), Buffer.from(right))

const keeping: readonly Case[] = [
  it('a document comes back byte for byte', async ({ database }) => {
    assert.equal(await get(database, 'k'), undefined)
    for (const value of hostileJson) {
      await within(database, (all) => all.put('c', 'k', value))
      assert.equal(await get(database, 'k'), value)
    }
    assert.equal((await list(database)).length, 1)
  }),

  it('a document of one mebibyte comes back whole', async ({ database }) => {
    const value = JSON.stringify('日'.repeat(1024 * 1024))
    await within(database, (all) => all.put('c', 'k', value))
    assert.equal((await get(database, 'k')) === value, true)
  }),

  it('keys and collections that look alike are apart', async ({ database }) => {
    for (const name of hostileNames) {
      await within(database, (all) => all.put('c', name, `"c/${name.length}"`))
      await within(database, (all) => all.put(name, 'k', `"k/${name.length}"`))
    }
    for (const name of hostileNames) {
      assert.equal(await get(database, name), `"c/${name.length}"`, JSON.stringify(name))
      assert.equal(await get(database, 'k', name), `"k/${name.length}"`, JSON.stringify(name))
    }
    assert.equal((await list(database)).length, hostileNames.length)
    assert.equal(await get(database, 'hasOwnProperty'), undefined)
    assert.equal(await get(database, 'k', 'valueOf'), undefined)
  }),

  it('an empty key is a key', async ({ database }) => {
    await put(database, ['', 'a'])
    assert.equal(await get(database, ''), '""')
    assert.deepEqual(await keys(database), ['', 'a'])
    assert.deepEqual(await keys(database, { after: '' }), ['a'])
  }),

  it('deleting removes one document and tells whether it was there', async ({ database }) => {
    await put(database, ['a', 'b'])
    await put(database, ['a'], 'other')
    const remove = (key: string): Promise<boolean> =>
      within(database, (all) => all.delete('c', key))
    assert.deepEqual(
      [await remove('a'), await remove('a'), await remove('B')],
      [true, false, false],
    )
    assert.deepEqual(await keys(database), ['b'])
    assert.equal(await get(database, 'a', 'other'), '"a"')
  }),

  it('clearing removes all of one collection and counts them', async ({ database }) => {
    await put(database, ['a', 'b', 'c'])
    await put(database, ['a'], 'C')
    const clear = (): Promise<number> => within(database, (all) => all.clear('c'))
    assert.deepEqual([await clear(), await clear()], [3, 0])
    assert.deepEqual(await keys(database), [])
    assert.equal(await get(database, 'a', 'C'), '"a"')
  }),

  it('clearing some removes the first by key and counts them', async ({ database }) => {
    await put(database, ['c', 'a', '\u{10000}', '\uffee', 'b'])
    await put(database, ['a'], 'C')
    const clear = (limit: number): Promise<number> =>
      within(database, (all) => all.clear('c', limit))
    assert.equal(await clear(2), 2)
    assert.deepEqual(await keys(database), ['c', '\uffee', '\u{10000}'])
    assert.equal(await clear(2), 2)
    assert.deepEqual(await keys(database), ['\u{10000}'])
    assert.deepEqual([await clear(2), await clear(2)], [1, 0])
    assert.equal(await get(database, 'a', 'C'), '"a"')
  }),
]

const listing: readonly Case[] = [
  it('documents are listed with key and value', async ({ database }) => {
    await put(database, ['b', 'a'])
    assert.deepEqual(await list(database), [
      { key: 'a', value: '"a"' },
      { key: 'b', value: '"b"' },
    ])
  }),

  it('documents are listed by the UTF-8 bytes of their keys, not by UTF-16', async ({
    database,
  }) => {
    await put(database, [
      '\u{1f600}',
      '\uffee',
      '\ue000',
      '\u{10000}',
      'z',
      'é',
      'Z',
      'a',
      'aa',
      '10',
      '9',
    ])
    const expected = [
      '10',
      '9',
      'Z',
      'a',
      'aa',
      'z',
      'é',
      '\ue000',
      '\uffee',
      '\u{10000}',
      '\u{1f600}',
    ]
    assert.deepEqual(await keys(database), expected)
    for (const [index, key] of expected.entries())
      assert.deepEqual(await keys(database, { after: key }), expected.slice(index + 1))
  }),

  it('documents are listed by prefix, which is no pattern', async ({ database }) => {
    await put(database, hostileNames)
    await put(database, [
      '\u{1f600}x',
      '\u{1f601}',
      '\uffff',
      '\uffffx',
      '\u{10ffff}',
      '\u{10ffff}x',
    ])
    const all = await keys(database)
    const prefixes = [
      '',
      'o',
      'order',
      'order-',
      'order_',
      'order%',
      'order\\',
      'Order',
      '%',
      '_',
      '*',
      '?',
    ]
    for (const prefix of [...prefixes, '\u{1f600}', '\uffff', '\u{10ffff}', 'caf', 'zzz', '['])
      assert.deepEqual(
        await keys(database, { prefix }),
        all.filter((key) => key.startsWith(prefix)),
        JSON.stringify(prefix),
      )
    assert.deepEqual(all, all.toSorted(byUtf8))
  }),

  it('documents are listed after a key, there or not, as many as asked for', async ({
    database,
  }) => {
    await put(database, ['a1', 'a2', 'a4', 'b1'])
    assert.deepEqual(await keys(database, { limit: 2 }), ['a1', 'a2'])
    assert.deepEqual(await keys(database, { after: 'a2' }), ['a4', 'b1'])
    assert.deepEqual(await keys(database, { after: 'a3', limit: 1 }), ['a4'])
    assert.deepEqual(await keys(database, { prefix: 'a', after: 'a1' }), ['a2', 'a4'])
    assert.deepEqual(await keys(database, { prefix: 'b', after: 'a1' }), ['b1'])
    assert.deepEqual(await keys(database, { prefix: 'a', after: 'b' }), [])
  }),

  it('paging by the last key gives every document once', async ({ database }) => {
    const all = [...numbered('k', 25), ...hostileNames]
    await put(database, all)
    const paged: string[] = []
    for (let page = await keys(database, { limit: 4 }); page.length > 0;) {
      paged.push(...page)
      assert.equal(paged.length <= all.length, true, 'paging comes to an end')
      page = await keys(database, { limit: 4, after: page.at(-1) ?? '' })
    }
    assert.deepEqual(paged, all.toSorted(byUtf8))
  }),

  it('an absent collection is empty', async ({ database }) => {
    assert.deepEqual(await list(database), [])
  }),
]

const many: readonly Case[] = [
  it('many documents are got in one call, those that are there, each once', async ({
    database,
  }) => {
    await put(database, ['a', 'b', ...hostileNames])
    const got = await database.read(({ documents }) =>
      documents.getAll('c', ['b', 'absent', 'a', 'b', ...hostileNames]),
    )
    const expected = [...new Set(['a', 'b', ...hostileNames])]
    assert.deepEqual(got.map(({ key }) => key).toSorted(byUtf8), expected.toSorted(byUtf8))
    for (const { key, value } of got)
      assert.equal(await database.read(({ documents }) => documents.get('c', key)), value)
    assert.deepEqual(await database.read(({ documents }) => documents.getAll('d', ['a'])), [])
    assert.deepEqual(await database.read(({ documents }) => documents.getAll('c', [])), [])
  }),

  it('many documents are put and removed in one call, in this collection alone', async ({
    database,
  }) => {
    await put(database, ['a', 'b', 'c'])
    await database.transact(async ({ documents }) => {
      await documents.put('d', 'a', '"other"')
      await documents.putAll('c', [
        { key: 'a', value: null },
        { key: 'b', value: '"new"' },
        { key: 'e', value: '{"quote":"\\"\\\\{}"}' },
        { key: 'absent', value: null },
        { key: 'twice', value: '1' },
        { key: 'twice', value: '2' },
        ...hostileNames.map((key) => ({ key, value: JSON.stringify(key) })),
      ])
      await documents.putAll('c', [])
    })
    const value = (key: string, collection = 'c'): Promise<string | undefined> =>
      database.read(({ documents }) => documents.get(collection, key))
    assert.equal(await value('a'), undefined)
    assert.equal(await value('a', 'd'), '"other"')
    assert.equal(await value('b'), '"new"')
    assert.notEqual(await value('c'), undefined)
    assert.equal(await value('e'), '{"quote":"\\"\\\\{}"}')
    assert.equal(await value('absent'), undefined)
    assert.equal(await value('twice'), '2')
    for (const key of hostileNames) assert.equal(await value(key), JSON.stringify(key))
  }),
]

export const documents: readonly Case[] = [...keeping, ...listing, ...many]
