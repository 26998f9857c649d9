/** Transactions and reads beside one another: one after the other, and never inside one another. */
import { strict as assert } from 'node:assert'
import { type Case, casesOf, shared } from './case.ts'
import { keys, openTransaction, put } from './open-transaction.ts'
import { given, head, idsOf, judge, messages, readAll, refuses } from './samples.ts'

const it = casesOf('database')
const inside = { stream: 's', messages: messages('from inside') }

const apart: readonly Case[] = [
  it('a read does not show what an open transaction wrote', async ({ database }) => {
    const open = openTransaction(database)
    await open.written
    const reading = Promise.all([keys(database), head(database)])
    await open.end(new Error('roll back'))
    assert.deepEqual(await reading, [[], 0])
  }),

  it('a read shows one committed state from its first look to its last', async ({ database }) => {
    const pause = Promise.withResolvers<void>()
    const reading = database.read(async ({ documents }) => {
      const before = await documents.list('c', { limit: 9 })
      await pause.promise
      return [before, await documents.list('c', { limit: 9 })]
    })
    const writing = database.transact((transaction) => put(transaction, 'a'))
    pause.resolve()
    const [before, after] = await reading
    assert.deepEqual(after, before)
    await writing
    assert.deepEqual(await keys(database), ['a'])
  }),

  it('questions that are answered apart show committed states only, the last one when each is asked', async ({
    database,
  }) => {
    const ask = (): Promise<unknown> =>
      database.read(({ documents }) => documents.get('c', 'half'), { apart: true })
    const open = openTransaction(database)
    await open.written
    const reading = ask()
    await open.end(new Error('roll back'))
    assert.equal(await reading, undefined)
    const again = openTransaction(database)
    await again.written
    await again.end()
    assert.equal(await ask(), '{}')
    await refuses('STATE_INVALID', () =>
      database.read((transaction) => put(transaction, 'a'), { apart: true }),
    )
    assert.deepEqual(await keys(database), ['half', 'whole'])
  }),

  it('a read after a commit shows all of it', async ({ database }) => {
    const open = openTransaction(database)
    await open.written
    await open.end()
    assert.deepEqual(await keys(database), ['half', 'whole'])
    assert.equal(await head(database), 1)
  }),

  it(
    'a read in another process does not show what an open transaction wrote',
    async (subject) => {
      const second = await subject.second()
      const rolledBack = openTransaction(subject.database)
      await rolledBack.written
      // It may wait for the transaction's end, or show what was before.
      const reading = Promise.all([keys(second), head(second)])
      await rolledBack.end(new Error('roll back'))
      assert.deepEqual(await reading, [[], 0])
      const open = openTransaction(subject.database)
      await open.written
      await open.end()
      assert.deepEqual(await keys(second), ['half', 'whole'])
      // What was rolled back may have left a gap.
      const { messages: all } = await readAll(second)
      assert.deepEqual([all.length, await head(second)], [1, all[0]?.position])
    },
    { requires: shared },
  ),

  it('transactions that read and then write run one after the other', async ({ database }) => {
    const count = async (): Promise<number> =>
      Number(await database.read(({ documents }) => documents.get('c', 'count')))
    const increment = (): Promise<void> =>
      database.transact(async ({ documents }) => {
        const value = Number((await documents.get('c', 'count')) ?? 0)
        await Promise.resolve()
        await documents.put('c', 'count', String(value + 1))
      })
    await Promise.all(Array.from({ length: 32 }, increment))
    assert.equal(await count(), 32)
  }),

  it('an append waits for an open transaction and comes after it', async ({ database }) => {
    const open = openTransaction(database)
    await open.written
    const appending = given(database, 's', messages('later'))
    await open.end()
    assert.equal((await appending).version, 2)
    assert.deepEqual(idsOf((await readAll(database)).messages), ['half', 'later'])
  }),
]

const nested: readonly Case[] = [
  it('calling the database from inside a transaction throws instead of waiting for itself', async ({
    database,
  }) => {
    await database.transact(async (transaction) => {
      await put(transaction, 'a')
      await refuses('TRANSACTION_NESTED', () => judge(database, inside))
      await refuses('TRANSACTION_NESTED', () => database.transact(() => 1))
      await refuses('TRANSACTION_NESTED', () => database.read(() => 1))
      await transaction.savepoint(() => refuses('TRANSACTION_NESTED', () => database.read(() => 1)))
      await put(transaction, 'b')
    })
    assert.deepEqual(await keys(database), ['a', 'b'])
  }),

  it('calling the database from inside a read throws instead of waiting for itself', async ({
    database,
  }) => {
    await database.read(async () => {
      await refuses('TRANSACTION_NESTED', () => database.transact(() => 1))
      await refuses('TRANSACTION_NESTED', () => database.read(() => 1))
    })
  }),

  it('a call beside a transaction is not inside of it', async ({ database }) => {
    const open = openTransaction(database)
    await open.written
    const beside = [database.append([]), database.transact(() => 1), database.read(() => 1)]
    await open.end()
    assert.deepEqual(await Promise.all(beside), [[], 1, 1])
  }),
]

export const isolation: readonly Case[] = [...apart, ...nested]
