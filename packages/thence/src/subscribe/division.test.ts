/** Tests of dividing a subscription anew: what was done stays done, and nothing else counts as done. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { memory } from '../adapters/memory/database.ts'
import { systemRuntime } from '../app/system-runtime.ts'
import type { Database } from '../ports/database.ts'
import { divide, isDone, loadDivision } from './division.ts'

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
