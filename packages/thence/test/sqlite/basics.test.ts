import { describe, expect, test } from 'vitest'
import { isThenceError } from '../../src/errors.ts'
import { appended, drivers, message, store } from './kit.ts'

describe.each(drivers)('a store on $name', ({ connect }) => {
  const open = () => store(undefined, { connect })

  test('appends a batch in one commit, with a verdict for each request', async () => {
    const database = await open()
    const first = message()
    const verdicts = await database.append([
      { stream: 'a', expected: 'none', messages: [first, message()] },
      { stream: 'a', expected: 1, messages: [message()] },
      { stream: 'b', messages: [message()] },
      { stream: 'a', expected: 'none', messages: [first] },
      { stream: 'b', messages: [{ ...message(), id: first.id }] },
      { stream: 'b', messages: [message(), { ...message(), id: first.id }] },
      { stream: 'b', expected: 'exists', messages: [message()] },
    ])
    expect(verdicts).toMatchObject([
      { outcome: 'appended', stream: 'a', version: 2, position: 2, count: 2 },
      { outcome: 'conflict', actual: 2 },
      { outcome: 'appended', stream: 'b', version: 1, position: 3, count: 1 },
      { outcome: 'duplicate', stream: 'a', version: 1, position: 1, count: 1 },
      { outcome: 'id-reused', id: first.id },
      { outcome: 'id-reused', id: first.id },
      { outcome: 'appended', stream: 'b', version: 2, position: 4, count: 1 },
    ])
  })

  test('reads a message back as it was written', async () => {
    const database = await open()
    const sent = message({
      kind: 'command',
      schemaVersion: 3,
      data: '{"text":"ünï \\u0001 🎉"}',
      correlationId: 'c',
      causationId: 'd',
      metadata: '{"x":1}',
      tags: ['order:1', 'ünï"🎉'],
      time: 4_102_444_800_000,
    })
    await database.append([{ stream: 's-🎉', messages: [sent] }])
    const stored = { ...sent, stream: 's-🎉', version: 1, position: 1 }
    await database.read(async ({ events }) => {
      expect(await events.readStream('s-🎉', { limit: 9 })).toEqual([stored])
      expect(await events.readAll({ limit: 9 })).toEqual({
        messages: [stored],
        through: 1,
        more: false,
      })
      expect(await events.find({ id: sent.id })).toEqual([stored])
      expect(await events.find({ correlationId: 'c' })).toEqual([stored])
    })
  })

  test('undoes everything when the work throws, and throws the same error', async () => {
    const database = await open()
    const problem = new Error('no')
    const attempt = database.transact((transaction) => {
      void transaction.events.append({ stream: 'a', messages: [message()] })
      void transaction.documents.put('c', 'k', '1')
      throw problem
    })
    await expect(attempt).rejects.toBe(problem)
    const [verdict] = await database.append([
      { stream: 'a', expected: 'none', messages: [message()] },
    ])
    expect(appended(verdict)).toMatchObject({ version: 1, position: 1 })
  })

  test('undoes only the savepoint, positions included', async () => {
    const database = await open()
    await database.transact(async (transaction) => {
      await transaction.events.append({ stream: 'a', messages: [message()] })
      await expect(
        transaction.savepoint(async () => {
          await transaction.events.append({ stream: 'a', messages: [message()] })
          await transaction.savepoint(() =>
            transaction.events.append({ stream: 'b', messages: [message()] }),
          )
          throw new Error('no')
        }),
      ).rejects.toThrow('no')
      const again = await transaction.events.append({ stream: 'b', messages: [message()] })
      expect(appended(again)).toMatchObject({ version: 1, position: 2 })
    })
    expect(await database.read(({ events }) => events.head())).toBe(2)
  })

  test('refuses a call from inside its own transaction', async () => {
    const database = await open()
    await database.transact(async () => {
      for (const call of [
        () => database.append([{ stream: 'a', messages: [message()] }]),
        () => database.read(() => 1),
        () => database.transact(() => 1),
      ])
        await expect(call()).rejects.toMatchObject({ code: 'TRANSACTION_NESTED' })
    })
  })

  test('refuses a transaction that has ended', async () => {
    const database = await open()
    const kept = await database.transact((transaction) => ({
      transaction,
      events: transaction.events,
    }))
    expect(() => kept.events.head()).toThrow(/has ended/)
    expect(() => kept.transaction.documents.put('c', 'k', '1')).toThrow(/has ended/)
  })

  test('refuses to write while reading', async () => {
    const database = await open()
    const attempt = database.read(({ documents }) => documents.put('c', 'k', '1'))
    await expect(attempt).rejects.toMatchObject({ code: 'STATE_INVALID' })
  })

  test('closes twice, and everything afterwards throws STORE_CLOSED', async () => {
    const database = await open()
    await database.close()
    await database.close()
    for (const call of [
      () => database.append([]),
      () => database.read(() => 1),
      () => database.transact(() => 1),
      () => database.migrate(),
      async () => database.plan(),
    ])
      await expect(call()).rejects.toSatisfy((error) => isThenceError(error, 'STORE_CLOSED'))
  })
})
