import { DatabaseSync } from 'node:sqlite'
import { expect, test } from 'vitest'
import { isThenceError } from '../../src/errors.ts'
import type { Transaction } from '../../src/ports/database.ts'
import { drivers, message, opened, store, storePath } from './kit.ts'

const code = (expected: string) => (error: unknown) =>
  isThenceError(error) && error.code === expected

test.each(drivers)(
  'a transaction on $name that stays open too long is rolled back and cannot write into the next one',
  async ({ connect }) => {
    const database = await store(undefined, { connect, transactionTimeout: 20 })
    const { promise, resolve } = Promise.withResolvers<void>()
    let late: Transaction | undefined
    let afterwards: unknown
    const attempt = database.transact(async (transaction) => {
      late = transaction
      await transaction.documents.put('c', 'k', '1')
      await promise
      try {
        await transaction.documents.put('c', 'k', '2')
      } catch (error) {
        afterwards = error
      }
      resolveEnd()
    })
    const { promise: end, resolve: resolveEnd } = Promise.withResolvers<void>()
    await expect(attempt).rejects.toSatisfy(code('TRANSACTION_TIMEOUT'))
    await database.transact(async (next) => {
      expect(await next.documents.get('c', 'k')).toBe(undefined)
      resolve()
      await end
      expect(() => late?.events.append({ stream: 's', messages: [message()] })).toThrow(
        /more than 20 ms/,
      )
      expect(await next.documents.get('c', 'k')).toBe(undefined)
    })
    expect(afterwards).toSatisfy(code('TRANSACTION_TIMEOUT'))
    expect(await database.read(({ documents }) => documents.get('c', 'k'))).toBe(undefined)
  },
)

test('savepoints that overlap are refused, and the transaction does not commit', async () => {
  const database = await store()
  const overlapping = database.transact(async (transaction) => {
    const gate = Promise.withResolvers<void>()
    const first = transaction.savepoint(() => gate.promise)
    const second = transaction.savepoint(async () => {
      gate.resolve()
      await first.catch(() => undefined)
    })
    await Promise.allSettled([first, second])
    await transaction.documents.put('c', 'k', '2')
  })
  await expect(overlapping).rejects.toSatisfy(code('STATE_INVALID'))
  expect(await database.read(({ documents }) => documents.get('c', 'k'))).toBe(undefined)
})

test('an id that is taken inside a longer append leaves no trace of the messages before it', async () => {
  const database = await store()
  const taken = message()
  await database.append([{ stream: 'a', messages: [taken] }])
  await database.transact(async ({ events }) => {
    const refused = await events.append({
      stream: 'b',
      messages: [message(), message(), { ...message(), id: taken.id }],
    })
    expect(refused).toEqual({ outcome: 'id-reused', id: taken.id })
    expect(await events.head()).toBe(1)
    expect(await events.append({ stream: 'b', messages: [message()] })).toMatchObject({
      version: 1,
      position: 2,
    })
  })
})

test('a user who rolls the transaction back in SQL commits nothing', async () => {
  const connection = new DatabaseSync(storePath())
  const database = await opened(connection)
  await database.migrate()
  await database.transact(({ sql }) => sql.run('CREATE TABLE t (a INTEGER PRIMARY KEY)'))
  const attempt = database.transact(async ({ sql, documents }) => {
    await documents.put('c', 'k', '1')
    await sql.run('INSERT INTO t VALUES (1)')
    try {
      await sql.run('INSERT OR ROLLBACK INTO t VALUES (1)')
    } catch {
      // The work goes on as if nothing had happened.
    }
    await documents.put('c', 'k', '2')
  })
  await expect(attempt).rejects.toSatisfy(code('STORE_FAILED'))
  expect(connection.isTransaction).toBe(false)
  expect(await database.read(({ documents }) => documents.get('c', 'k'))).toBe(undefined)
})

test('work that only reads and writes at once needs no second turn', async () => {
  const database = await store()
  let done = false
  const transaction = database.transact(({ documents }) => {
    void documents.put('c', 'k', '1')
    done = true
  })
  expect(done).toBe(true)
  await transaction
})

test('a savepoint that outlives its transaction disturbs nothing that came after', async () => {
  const database = await store(undefined, { transactionTimeout: 20 })
  const { promise, reject } = Promise.withResolvers<void>()
  let savepoint: Promise<void> | undefined
  const attempt = database.transact((transaction) => {
    savepoint = transaction.savepoint(() => promise)
    return savepoint
  })
  await expect(attempt).rejects.toSatisfy(code('TRANSACTION_TIMEOUT'))
  const append = async () => (await database.append([{ stream: 's', messages: [message()] }]))[0]
  expect(await append()).toMatchObject({ version: 1, position: 1 })
  await database.transact(async ({ events }) => {
    await events.append({ stream: 's', messages: [message()] })
    reject(new Error('late'))
    await expect(savepoint).rejects.toThrow('late')
    expect(await events.append({ stream: 's', messages: [message()] })).toMatchObject({
      version: 3,
      position: 3,
    })
  })
  expect(await append()).toMatchObject({ version: 4, position: 4 })
})

test('a batch that fails after positions were taken gives them back', async () => {
  const database = await store()
  const bad = { ...message(), data: null as unknown as string }
  const attempt = database.append([
    { stream: 's', messages: [message(), message()] },
    { stream: 's', messages: [bad] },
  ])
  await expect(attempt).rejects.toSatisfy(code('STORE_FAILED'))
  expect(
    await database.append([{ stream: 's', expected: 'none', messages: [message()] }]),
  ).toMatchObject([{ version: 1, position: 1 }])
})
