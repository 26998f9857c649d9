/** Tests of what a view lacks: what was passed over is noted where another version goes on, and nothing else is. */
import { expect, test } from 'vitest'
import { memory } from '../adapters/memory/database.ts'
import { systemRuntime } from '../app/system-runtime.ts'
import type { Database } from '../ports/database.ts'
import { beginAnew } from './anew.ts'
import { loadTaken, take } from './taken.ts'

const appended = async (...types: readonly string[]): Promise<Database> => {
  const database = memory()
  await database.open(systemRuntime())
  const messages = types.map((type, index) => ({
    id: `${index}`,
    kind: 'event' as const,
    type,
    schemaVersion: 1,
    data: '{}',
    correlationId: null,
    causationId: null,
    metadata: null,
    tags: [],
    time: 1,
  }))
  await database.append([{ stream: 'log', messages }])
  return database
}

const taken = (database: Database, types: readonly string[], position: number) =>
  database.transact((transaction) => take(transaction, { name: 'view', types, position }))

const known = (database: Database) => database.read((transaction) => loadTaken(transaction, 'view'))

test('only what stands between the leaving of a type and its return is missed', async () => {
  const database = await appended('A', 'B', 'A', 'B', 'A')
  expect(await taken(database, ['A', 'B'], 0)).toBeUndefined()
  expect(await taken(database, ['A'], 2)).toBeUndefined()
  expect(await taken(database, ['A', 'B'], 3)).toBeUndefined()
  expect(await taken(database, ['A'], 3)).toBeUndefined()
  expect(await taken(database, ['B', 'A'], 5)).toEqual({
    subscription: 'view',
    types: ['B'],
    position: 5,
  })
  expect((await known(database))?.missed).toMatchObject([{ type: 'B', position: 5 }])
})

test('a type that goes and comes while nobody looks is not missed twice, and is missed further', async () => {
  const database = await appended('B', 'B', 'B')
  await taken(database, ['A'], 0)
  await taken(database, ['A', 'B'], 1)
  await taken(database, ['A'], 1)
  await taken(database, ['A', 'B'], 2)
  expect((await known(database))?.missed).toMatchObject([{ type: 'B', position: 2 }])
  expect(await taken(database, ['A', 'B'], 3)).toBeUndefined()
})

test('who makes it anew goes on without the types that it does without', async () => {
  const database = await appended('B', 'B')
  await taken(database, ['A'], 0)
  await taken(database, ['A', 'B'], 1)
  await taken(database, ['A'], 1)
  await database.transact((transaction) => beginAnew(transaction, 'view'))
  expect(await known(database)).toEqual({ types: ['A'], left: [], missed: [] })
  expect(await taken(database, ['A', 'B'], 2)).toMatchObject({ types: ['B'], position: 2 })
})
