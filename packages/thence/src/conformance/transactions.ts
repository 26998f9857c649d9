/** Transactions and savepoints: all or nothing, across every port. */
import { strict as assert } from 'node:assert'
import type { Database } from '../ports/database.ts'
import { type Case, casesOf } from './case.ts'
import { readEverything, tamper, writeEverything } from './everything.ts'
import { keys, put } from './open-transaction.ts'
import { head, idsOf, messages, readAll, throwsSame } from './samples.ts'

const it = casesOf('database')

const names = ['first', 'second', 'third', 'fourth']

const everything = (database: Database): Promise<unknown> =>
  database.read((transaction) => readEverything(transaction, names))

const whole: readonly Case[] = [
  it('what work resolves to comes back, and what it wrote is there', async ({ database }) => {
    const result = await database.transact(async (transaction) => {
      await writeEverything(transaction, 'first')
      return { answer: 42 }
    })
    assert.deepEqual(result, { answer: 42 })
    assert.equal(await database.transact(() => 'now'), 'now')
    assert.equal(await database.read(() => undefined), undefined)
    assert.equal(await head(database), 4)
  }),

  it('every port answers apart what it answers in one state', async ({ database }) => {
    await database.transact((transaction) => writeEverything(transaction, 'first'))
    const ask = (apart: boolean): Promise<unknown> =>
      database.read((transaction) => readEverything(transaction, names), { apart })
    assert.deepEqual(await ask(true), await ask(false))
    const error = new Error('of the work')
    const failing = (): Promise<never> =>
      database.read(
        async ({ events }) => {
          await events.head()
          throw error
        },
        { apart: true },
      )
    await throwsSame(error, failing)
    assert.equal(await head(database), 4)
  }),

  it('when work throws at its end nothing of it is kept, in any port', async ({ database }) => {
    await database.transact((transaction) => writeEverything(transaction, 'first'))
    const before = await everything(database)
    const error = new Error('at the end')
    await throwsSame(error, () =>
      database.transact(async (transaction) => {
        await writeEverything(transaction, 'second')
        await writeEverything(transaction, 'third')
        throw error
      }),
    )
    assert.deepEqual(await everything(database), before)
    await database.transact((transaction) => writeEverything(transaction, 'second'))
    assert.notDeepEqual(await everything(database), before)
  }),

  it('when work throws on an empty store it stays empty, in every port', async ({ database }) => {
    const before = await everything(database)
    const rollback = database.transact(async (transaction) => {
      await writeEverything(transaction, 'first')
      throw new Error('roll back')
    })
    await assert.rejects(rollback)
    assert.deepEqual(await everything(database), before)
  }),

  it('an error thrown before any promise rolls back too, and is the same error', async ({
    database,
  }) => {
    const error = new TypeError('at once')
    await throwsSame(error, () =>
      database.transact((transaction) => {
        put(transaction, 'a')
        throw error
      }),
    )
    await throwsSame(error, () =>
      database.read(() => {
        throw error
      }),
    )
    assert.deepEqual(await keys(database), [])
  }),

  it('a transaction that failed does not disturb those around it', async ({ database }) => {
    const results = await Promise.allSettled(
      [1, 2, 3, 4, 5, 6].map((index) =>
        database.transact(async (transaction) => {
          await put(transaction, `k${index}`)
          if (index % 2 === 0) throw new Error('roll back')
        }),
      ),
    )
    const failed = results.filter(({ status }) => status === 'rejected')
    assert.equal(failed.length, 3)
    assert.deepEqual(await keys(database), ['k1', 'k3', 'k5'])
  }),

  it('changing what was read changes nothing in the store, in any port', async ({ database }) => {
    await database.transact((transaction) => writeEverything(transaction, 'first'))
    const before = structuredClone(await everything(database))
    tamper(await everything(database))
    assert.deepEqual(await everything(database), before)
  }),

  it('what a read writes is not kept', async ({ database }) => {
    // Whether it is refused or rolled back is up to the adapter.
    await Promise.allSettled([database.read((transaction) => put(transaction, 'a'))])
    assert.deepEqual(await keys(database), [])
  }),
]

const savepoints: readonly Case[] = [
  it('a savepoint that throws undoes only its own work, in every port', async ({ database }) => {
    const error = new Error('undo')
    const [before, after] = await database.transact(async (transaction) => {
      await writeEverything(transaction, 'first')
      const seen = await readEverything(transaction, names)
      await throwsSame(error, () =>
        transaction.savepoint(async () => {
          await writeEverything(transaction, 'second')
          throw error
        }),
      )
      return [seen, await readEverything(transaction, names)]
    })
    assert.deepEqual(after, before)
    assert.deepEqual(await everything(database), before)
  }),

  it('a savepoint that resolves keeps its work and gives its result', async ({ database }) => {
    const result = await database.transact(async (transaction) => {
      await put(transaction, 'a')
      return transaction.savepoint(async () => {
        await put(transaction, 'b')
        return 42
      })
    })
    assert.equal(result, 42)
    assert.deepEqual(await keys(database), ['a', 'b'])
  }),

  it('a savepoint whose work throws at once is undone', async ({ database }) => {
    await database.transact(async (transaction) => {
      const undone = transaction.savepoint(() => {
        throw new Error('at once')
      })
      await assert.rejects(undone, /at once/)
      await put(transaction, 'a')
    })
    assert.deepEqual(await keys(database), ['a'])
  }),

  it('savepoints nest', async ({ database }) => {
    await database.transact(async (transaction) => {
      const outer = transaction.savepoint(async () => {
        await put(transaction, 'outer')
        await transaction.savepoint(() => put(transaction, 'inner kept'))
        const inner = transaction.savepoint(async () => {
          await put(transaction, 'inner undone')
          throw new Error('inner')
        })
        await assert.rejects(inner, /inner/)
        await put(transaction, 'outer again')
      })
      await outer
      const undone = transaction.savepoint(async () => {
        await transaction.savepoint(() => put(transaction, 'lost with the outer one'))
        throw new Error('outer')
      })
      await assert.rejects(undone, /outer/)
    })
    assert.deepEqual(await keys(database), ['inner kept', 'outer', 'outer again'])
  }),

  it('a rollback takes kept savepoints along', async ({ database }) => {
    const rollback = database.transact(async (transaction) => {
      await transaction.savepoint(() => put(transaction, 'a'))
      throw new Error('roll back')
    })
    await assert.rejects(rollback, /roll back/)
    assert.deepEqual(await keys(database), [])
  }),

  it('positions and versions of an undone savepoint are given to what comes after it', async ({
    database,
  }) => {
    await database.transact(async (transaction) => {
      const { events } = transaction
      const undone = transaction.savepoint(async () => {
        await events.append({ stream: 's', messages: messages('a', 'b') })
        throw new Error('undo')
      })
      await assert.rejects(undone)
      const verdict = await events.append({
        stream: 's',
        expected: 'none',
        messages: messages('c'),
      })
      assert.equal(verdict.outcome === 'appended' && verdict.version, 1)
    })
    assert.deepEqual(idsOf((await readAll(database)).messages), ['c'])
  }),
]

export const transactions: readonly Case[] = [...whole, ...savepoints]
