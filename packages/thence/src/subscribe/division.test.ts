/** Tests of dividing a subscription anew: what was done stays done, and nothing else counts as done. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { memory } from '../adapters/memory/database.ts'
import { systemRuntime } from '../app/system-runtime.ts'
import type { Database } from '../ports/database.ts'
import type { Retry } from '../ports/retries.ts'
import { divide, isDone, loadDivision } from './division.ts'
import type { Wanted } from './division.ts'

const opened = async (): Promise<Database> => {
  const database = memory()
  await database.open(systemRuntime())
  return database
}

const rowsOf = (database: Database) => database.read(({ checkpoints }) => checkpoints.list('s'))

test('a subscription that is divided for the first time begins at the start, or now', async () => {
  const database = await opened()
  await database.transact((transaction) =>
    divide(transaction, { name: 's', partitions: 3, from: 'start' }),
  )
  const rows = await rowsOf(database)
  expect(rows.map(({ position, generation }) => [position, generation])).toEqual([
    [0, 1],
    [0, 1],
    [0, 1],
  ])
  const division = await database.read((transaction) => loadDivision(transaction, 's'))
  expect(division).toEqual({ partitions: 3, floors: [] })
})

/** All that may come after one position up to another. */
const messages = (after: number, to: number) =>
  Array.from({ length: 20 * (to - after) }, (_, index) => ({
    hash: index % 20,
    at: after + 1 + Math.floor(index / 20),
  }))

/** What a model knows: for every message, by hash and position, whether it was done. */
const dividing = fc.record({
  counts: fc.array(fc.integer({ min: 1, max: 5 }), { minLength: 2, maxLength: 6 }),
  steps: fc.array(fc.integer({ min: 0, max: 6 }), { minLength: 30, maxLength: 30 }),
})

test('however often it is divided, exactly that is done which some partition had done', async () => {
  await fc.assert(
    fc.asyncProperty(dividing, async ({ counts, steps }) => {
      const database = await opened()
      const done = new Set<string>()
      let next = 0
      for (const partitions of counts) {
        await database.transact((transaction) =>
          divide(transaction, { name: 's', partitions, from: 'start' }),
        )
        const division = await database.read((transaction) => loadDivision(transaction, 's'))
        for (let partition = 0; partition < partitions; partition += 1) {
          const row = await database.read(({ checkpoints }) => checkpoints.load('s', partition))
          const { position = 0, generation = 0 } = row ?? {}
          const to = position + (steps[next++ % steps.length] ?? 0)
          const own = messages(position, to).filter(({ hash }) => hash % partitions === partition)
          for (const { hash, at } of own) {
            const message = `${hash}@${at}`
            expect(isDone(division, { hash, position: at }), message).toBe(done.has(message))
            done.add(message)
          }
          await database.transact(({ checkpoints }) =>
            checkpoints.move('s', { partition, position, generation }, to),
          )
        }
      }
    }),
    { numRuns: 60 },
  )
})

test('floors do not pile up while one partition lags and the others go on', async () => {
  const database = await opened()
  for (let start = 0; start < 40; start += 1) {
    const partitions = [8, 4, 6, 3][start % 4] ?? 1
    await database.transact((transaction) =>
      divide(transaction, { name: 's', partitions, from: 'start' }),
    )
    const rows = await rowsOf(database)
    await database.transact(async ({ checkpoints }) => {
      for (const { partition, position, generation } of rows.slice(1))
        await checkpoints.move('s', { partition, position, generation }, 100 + start)
    })
  }
  const { floors } = await database.read((transaction) => loadDivision(transaction, 's'))
  expect(floors.map(({ positions }) => positions.length)).toEqual([8, 6])
})

/** Has it divided, and each partition come to a position. */
const standing = async (
  database: Database,
  positions: readonly number[],
  wanted: Partial<Wanted> = {},
): Promise<void> =>
  database.transact(async (transaction) => {
    const partitions = positions.length
    await divide(transaction, { name: 's', partitions, from: 'start', types: ['T'], ...wanted })
    for (const [partition, to] of positions.entries()) {
      const row = await transaction.checkpoints.load('s', partition)
      const { position = 0, generation = 0 } = row ?? {}
      await transaction.checkpoints.move('s', { partition, position, generation }, to)
    }
  })

const append = (database: Database, ...types: readonly string[]): Promise<unknown> =>
  database.append([
    {
      stream: 'log',
      messages: types.map((type, index) => ({
        id: `${type}-${index}`,
        kind: 'event',
        type,
        schemaVersion: 1,
        data: '{}',
        correlationId: null,
        causationId: null,
        metadata: null,
        tags: [],
        time: 1,
      })),
    },
  ])

const anotherKey = (database: Database, wanted: Partial<Wanted> = {}) =>
  database.transact((transaction) =>
    divide(transaction, {
      name: 's',
      partitions: 2,
      from: 'start',
      types: ['T'],
      keyVersion: 2,
      ...wanted,
    }),
  )

const divisionOf = (database: Database) =>
  database.read((transaction) => loadDivision(transaction, 's'))

test('another key is refused where it decides what was done, and changes nothing', async () => {
  const database = await opened()
  await append(database, 'T', 'Other', 'T', 'Other')
  await standing(database, [2, 4])
  const before = [await rowsOf(database), await divisionOf(database)]
  await expect(anotherKey(database)).rejects.toMatchObject({
    code: 'STATE_INVALID',
    details: { subscription: 's', stored: 1, keyVersion: 2, least: 2, most: 4 },
  })
  expect([await rowsOf(database), await divisionOf(database)]).toEqual(before)
})

test('another key is taken at the slowest where nothing of its types stands between', async () => {
  const database = await opened()
  await append(database, 'T', 'Other', 'Other', 'T')
  await standing(database, [1, 3])
  await anotherKey(database, { partitions: 3 })
  const rows = await rowsOf(database)
  expect(rows.map(({ position, epoch }) => [position, epoch])).toEqual([
    [1, 0],
    [1, 0],
    [1, 0],
  ])
  expect(await divisionOf(database)).toMatchObject({ partitions: 3, floors: [], keyVersion: 2 })
})

test('what was done before it was divided anew counts too, until all are past it', async () => {
  const database = await opened()
  await append(database, 'T', 'T', 'T', 'T')
  await standing(database, [1, 3])
  await standing(database, [2])
  await expect(anotherKey(database)).rejects.toMatchObject({ details: { least: 2, most: 3 } })
  await standing(database, [3])
  await anotherKey(database)
  expect(await divisionOf(database)).toMatchObject({ floors: [], keyVersion: 2 })
})

const row: Retry = {
  subscription: 's',
  key: 'k',
  hash: 0,
  position: 1,
  messageId: 'T-0',
  state: 'parked',
  attempts: 1,
  due: 0,
  history: [],
}

test.each(['s', 's@2'])('another key is refused while a message of %s waits', async (waits) => {
  const database = await opened()
  await append(database, 'T')
  await standing(database, [1])
  await database.transact(({ retries }) => retries.put({ ...row, subscription: waits }))
  await expect(anotherKey(database, { beside: ['s@2'] })).rejects.toMatchObject({
    code: 'STATE_INVALID',
    details: { due: 0, parked: 1, queued: 0 },
  })
})

test('whoever holds it, or what is built beside it, is fenced by another key', async () => {
  const database = await opened()
  await standing(database, [0])
  await database.transact(async ({ checkpoints }) => {
    for (const name of ['s', 's@2']) await checkpoints.claim(name, { partition: 0, epoch: 7 })
  })
  await anotherKey(database, { partitions: 1, beside: ['s@2'] })
  const rows = await database.read(({ checkpoints }) => checkpoints.list())
  expect(rows.map(({ subscription, epoch }) => [subscription, epoch])).toEqual([
    ['s', 0],
    ['s@2', 0],
  ])
})

test('a subscription that is new begins with any key', async () => {
  const database = await opened()
  await anotherKey(database, { keyVersion: 7, partitions: 1 })
  expect(await divisionOf(database)).toEqual({
    partitions: 1,
    floors: [],
    keyVersion: 7,
    types: ['T'],
  })
})
