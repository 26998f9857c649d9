// What differs between two versions of a view: the same as a model says, for documents and for tables.
import { DatabaseSync } from 'node:sqlite'
import fc from 'fast-check'
import type { Database } from 'thence'
import { systemRuntime } from 'thence'
import { diffView } from 'thence/admin'
import { memory } from 'thence/memory'
import { sqlite } from 'thence/sqlite'
import { describe, expect, it } from 'vitest'
import type { ViewDiff } from '../../src/project/diff.ts'
import { diffDocuments } from '../../src/project/diff.ts'
import { diffTables } from '../../src/project/diff-tables.ts'
import { kinds } from '../kit/places.ts'
import { newCode, pay, start, sums, sumTable } from '../kit/summing.ts'

type Rows = Readonly<Record<string, number>>

const key = fc.constantFrom('a', 'b', 'B', 'é', '\uffee', '\u{1f600}', '', '10', '9')
const rows: fc.Arbitrary<Rows> = fc.dictionary(key, fc.integer({ min: 0, max: 3 }))

const model = (old: Rows, now: Rows) => {
  const [before, after] = [Object.entries(old), Object.entries(now)]
  const isIn = (all: Rows, name: string): boolean => Object.hasOwn(all, name)
  return {
    same: before.filter(([name, value]) => isIn(now, name) && now[name] === value).length,
    changed: before.filter(([name, value]) => isIn(now, name) && now[name] !== value).length,
    removed: before.filter(([name]) => !isIn(now, name)).length,
    added: after.filter(([name]) => !isIn(old, name)).length,
  }
}

/** Counts as the model does, with each difference as an example. */
const expectAsModel = ({ examples, ...counts }: ViewDiff, old: Rows, now: Rows): void => {
  expect(counts).toEqual(model(old, now))
  expect(examples).toHaveLength(counts.added + counts.changed + counts.removed)
  for (const row of examples) {
    expect('old' in row).toBe(Object.hasOwn(old, row.key))
    expect('new' in row).toBe(Object.hasOwn(now, row.key))
  }
}

const opened = async (database: Database): Promise<Database> => {
  await database.open(systemRuntime())
  await database.migrate()
  return database
}

const inMemory = (): Database => sqlite({ database: new DatabaseSync(':memory:') })

describe.each([
  ['memory', memory],
  ['sqlite', inMemory],
] as const)('documents on %s', (_, make) => {
  it('are told as the model tells them, whatever they are', async () => {
    const database = await opened(make())
    await fc.assert(
      fc.asyncProperty(rows, rows, async (old, now) => {
        const diff = await database.transact(async (transaction) => {
          const { documents } = transaction
          for (const [collection, all] of [
            ['v', old],
            ['v@2', now],
          ] as const) {
            await documents.clear(collection)
            for (const [name, value] of Object.entries(all))
              await documents.put(collection, name, `{"a":${value},"b":[1]}`)
          }
          return diffDocuments(transaction, { old: 'v', new: 'v@2' }, { limit: 100 })
        })
        expectAsModel(diff, old, now)
      }),
    )
    await database.close()
  })

  it('that differ in the order of their properties only are the same', async () => {
    const database = await opened(make())
    const diff = await database.transact(async (transaction) => {
      await transaction.documents.put('v', 'k', '{"a":1,"b":{"c":[{"x":1,"y":2}],"d":null}}')
      await transaction.documents.put('v@2', 'k', '{"b":{"d":null,"c":[{"y":2,"x":1}]},"a":1}')
      return diffDocuments(transaction, { old: 'v', new: 'v@2' })
    })
    expect(diff).toMatchObject({ same: 1, changed: 0 })
    await database.close()
  })

  it('are read a page at a time, however many there are', async () => {
    const database = await opened(make())
    const diff = await database.transact(async (transaction) => {
      for (let index = 0; index < 1700; index += 1) {
        const name = `k${String(index).padStart(5, '0')}`
        if (index % 3 !== 0) await transaction.documents.put('v', name, '1')
        if (index % 5 !== 0)
          await transaction.documents.put('v@2', name, index % 7 === 0 ? '2' : '1')
      }
      return diffDocuments(transaction, { old: 'v', new: 'v@2' }, { limit: 3 })
    })
    const numbers = Array.from({ length: 1700 }, (_value, index) => index)
    const both = numbers.filter((index) => index % 3 !== 0 && index % 5 !== 0)
    expect(diff).toMatchObject({
      changed: both.filter((index) => index % 7 === 0).length,
      same: both.filter((index) => index % 7 !== 0).length,
      removed: numbers.filter((index) => index % 3 !== 0 && index % 5 === 0).length,
      added: numbers.filter((index) => index % 3 === 0 && index % 5 !== 0).length,
    })
    expect(diff.examples).toHaveLength(3)
    await database.close()
  })
})

describe('tables', () => {
  const filled = async (
    database: Database,
    tables: Readonly<Record<string, Rows>>,
    keys?: Readonly<Record<string, readonly string[]>>,
  ) =>
    database.transact(async (transaction) => {
      for (const [name, all] of Object.entries(tables)) {
        await transaction.sql.run(`DROP TABLE IF EXISTS "${name}"`)
        await transaction.sql.run(`CREATE TABLE "${name}" (name TEXT, day INTEGER, sum INTEGER)`)
        for (const [row, value] of Object.entries(all))
          await transaction.sql.run(`INSERT INTO "${name}" VALUES (?, ?, ?)`, row, 1, value)
      }
      return diffTables(transaction, { old: 'v', new: 'v@2', keys }, { limit: 100 })
    })

  it('are told as the model tells them, whatever they are', async () => {
    const database = await opened(inMemory())
    await fc.assert(
      fc.asyncProperty(rows, rows, async (old, now) => {
        expectAsModel(await filled(database, { v: old, 'v@2': now }), old, now)
      }),
    )
    await database.close()
  })

  it('are compared by the keys that were given, all of them', async () => {
    const database = await opened(inMemory())
    const tables = { v: { a: 1 }, 'v@2': { a: 2 }, v_days: { a: 1 }, 'v@2_days': { b: 1 } }
    const keys = { '': ['name'], days: ['name', 'day'] }
    expect(await filled(database, tables, keys)).toEqual({
      same: 0,
      added: 1,
      removed: 1,
      changed: 1,
      examples: [
        { key: 'a', old: { name: 'a', day: 1, sum: 1 }, new: { name: 'a', day: 1, sum: 2 } },
        { table: 'days', key: 'a / 1', old: { name: 'a', day: 1, sum: 1 } },
        { table: 'days', key: 'b / 1', new: { name: 'b', day: 1, sum: 1 } },
      ],
    })
    await database.close()
  })

  it('are compared by the columns that both have', async () => {
    const database = await opened(inMemory())
    const diff = await database.transact(async (transaction) => {
      await transaction.sql.run('CREATE TABLE v (name TEXT, sum INTEGER)')
      await transaction.sql.run('CREATE TABLE "v@2" (name TEXT, sum INTEGER, more TEXT)')
      await transaction.sql.run("INSERT INTO v VALUES ('a', 1), ('b', 1)")
      await transaction.sql.run(`INSERT INTO "v@2" VALUES ('a', 1, 'x'), ('b', 2, 'x')`)
      return diffTables(transaction, { old: 'v', new: 'v@2', keys: undefined })
    })
    expect(diff).toMatchObject({
      same: 1,
      changed: 1,
      examples: [{ key: 'b', old: { sum: 1 }, new: { sum: 2, more: 'x' } }],
    })
    await database.close()
  })
})

const ways = kinds.flatMap((kind) => [
  { ...kind, how: 'documents' as const, inline: false },
  { ...kind, how: 'documents' as const, inline: true },
  ...(kind.sql ? [{ ...kind, how: 'tables' as const, inline: false }] : []),
])

describe.each(ways)('a rebuild of $how on $name (inline: $inline)', ({ make, how, inline }) => {
  it('is compared with the view that serves at one position, also while others write', async () => {
    const code = newCode(2)
    const define = how === 'documents' ? sums : sumTable
    const test = await start(make(), define(code, { inline }))
    await test.app.append({ events: pay(70) })
    await test.settle()
    code.factor = 1
    const manual = test.app.rebuild('sums', { switch: 'manual' })
    const rebuilt = await test.runtime.until(manual)
    const appends = Array.from({ length: 30 }, () => test.app.append({ events: pay(1) }))
    const diff = await test.runtime.until(rebuilt.diff({ limit: 1 }))
    await test.runtime.until(Promise.all(appends))
    expect(diff).toMatchObject({ same: 0, added: 0, removed: 0, changed: 8, apart: 0 })
    expect(diff.examples).toHaveLength(1)
    expect([diff.old.version, diff.new.version]).toEqual([1, 2])
    await test.settle()
    await test.runtime.until(rebuilt.switch())
    // From now on the old one stands still: what happens is told as a distance.
    await test.app.append({ events: pay(3) })
    await test.settle()
    await test.advance('2s')
    const on = { database: test.app.database, runtime: test.runtime }
    expect(await diffView(on, 'sums')).toMatchObject({
      old: { version: 1, position: 100 },
      new: { version: 2, position: 103 },
      apart: 3,
    })
  })

  it('of a view of which there is one version is refused', async () => {
    const test = await start(make(), sums(newCode(), { inline }))
    const on = { database: test.app.database, runtime: test.runtime }
    await expect(diffView(on, 'sums')).rejects.toThrow('There is nothing to compare')
  })
})
