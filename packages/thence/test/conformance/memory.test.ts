/** The memory adapter on every case, and what it alone promises. */
import { describe, expect, test } from 'vitest'
import { memory, type MemoryStore, memoryStore } from '../../src/adapters/memory/index.ts'
import { makeFrom, ManualRuntime } from '../../src/conformance/index.ts'
import { defineConformance } from './define.ts'

defineConformance(
  'memory',
  { sql: false, durable: false, shared: true, notifies: true, remote: false },
  makeFrom(() => {
    const store = memoryStore()
    return { connect: (options) => memory({ ...options, store }) }
  }),
)

describe('the memory adapter', () => {
  test('names the way out where SQL is asked for', async () => {
    const database = memory()
    await database.open(new ManualRuntime())
    const work = database.transact(({ sql }) => sql.run('select 1'))
    await expect(work).rejects.toThrow(/sqlite\(\{ database: new DatabaseSync\(':memory:'\) \}\)/u)
  })

  test('refuses to be used before it was opened', async () => {
    await expect(memory().read(() => 1)).rejects.toThrow(/Call `open`/u)
  })

  test('keeps to itself where no store is given', async () => {
    const [one, other] = [memory(), memory()]
    expect(one.capabilities).toEqual({
      sql: false,
      durable: false,
      shared: false,
      notifies: true,
      remote: false,
    })
    for (const database of [one, other]) await database.open(new ManualRuntime())
    await one.transact(({ documents }) => documents.put('c', 'k', '{}'))
    expect(await other.read(({ documents }) => documents.get('c', 'k'))).toBeUndefined()
  })

  test('a store has one clock: what its first connection was opened with, or its own', async () => {
    const [early, late] = [new ManualRuntime(), new ManualRuntime()]
    late.advance(60_000)
    const moved = async (store: MemoryStore): Promise<number | undefined> => {
      const [first, second] = [memory({ store }), memory({ store })]
      await first.open(early)
      await second.open(late)
      await first.close()
      await second.transact(({ checkpoints }) =>
        checkpoints.move('s', { position: 0, generation: 0 }, 1),
      )
      return (await second.read(({ checkpoints }) => checkpoints.load('s')))?.time
    }
    expect(await moved(memoryStore())).toBe(early.now())
    expect(await moved(memoryStore({ clock: late }))).toBe(late.now())
  })

  test('a transaction of another connection that never ends is rolled back by the clock of the store', async () => {
    const clock = new ManualRuntime()
    const store = memoryStore({ clock })
    const [lost, other] = [memory({ store, transactionTimeout: 1000 }), memory({ store })]
    for (const database of [lost, other]) await database.open(new ManualRuntime())
    const never = lost.transact(async ({ documents }) => {
      void documents.put('c', 'k', '{}')
      await new Promise(() => undefined)
    })
    const reading = other.read(({ documents }) => documents.get('c', 'k'))
    clock.advance(1000)
    await expect(never).rejects.toThrow(/rolled back/u)
    expect(await reading).toBeUndefined()
  })

  test('refuses a write inside of a read', async () => {
    const database = memory()
    await database.open(new ManualRuntime())
    const work = database.read(({ documents }) => documents.put('c', 'k', '{}'))
    await expect(work).rejects.toThrow(/Write inside `transact`/u)
  })
})
