/** The memory adapter on every case, and what it alone promises. */
import { describe, expect, test } from 'vitest'
import { memory } from '../../src/adapters/memory/index.ts'
import { makeFrom, ManualRuntime } from '../../src/conformance/index.ts'
import { defineConformance } from './define.ts'

defineConformance(
  'memory',
  { sql: false, durable: false },
  makeFrom(() => ({ connect: (options) => memory(options) })),
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

  test('refuses a write inside of a read', async () => {
    const database = memory()
    await database.open(new ManualRuntime())
    const work = database.read(({ documents }) => documents.put('c', 'k', '{}'))
    await expect(work).rejects.toThrow(/Write inside `transact`/u)
  })
})
