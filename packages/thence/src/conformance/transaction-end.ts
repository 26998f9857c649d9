/** The end of a transaction: nothing works after it, and one that takes too long is ended. */
import { strict as assert } from 'node:assert'
import type { Transaction } from '../ports/database.ts'
import { type Case, casesOf } from './case.ts'
import { keys, put } from './open-transaction.ts'
import { isThenceError } from '../errors.ts'
import { messages, refuses } from './samples.ts'

const it = casesOf('database')

export const transactionEnd: readonly Case[] = [
  it('a transaction that has ended cannot be used, through any port', async ({ database }) => {
    for (const begin of [database.transact.bind(database), database.read.bind(database)]) {
      let kept: Transaction | undefined
      await begin((transaction) => {
        kept = transaction
      })
      await assertEnded(kept as unknown as Transaction)
    }
    assert.deepEqual(await keys(database), [])
  }),

  it('a transaction that was rolled back cannot be used', async ({ database }) => {
    let kept: Transaction | undefined
    const rollback = database.transact((transaction) => {
      kept = transaction
      throw new Error('roll back')
    })
    await assert.rejects(rollback, /roll back/)
    await assertEnded(kept as unknown as Transaction)
  }),

  it('an ended transaction does not write into the one that is open now', async ({ database }) => {
    let kept: Transaction | undefined
    await database.transact((transaction) => {
      kept = transaction
    })
    await database.transact(async (transaction) => {
      await put(transaction, 'mine')
      await refuses('STATE_INVALID', () => put(kept as Transaction, 'theirs'))
    })
    assert.deepEqual(await keys(database), ['mine'])
  }),

  it(
    'a transaction that stays open too long is rolled back, and the next one runs',
    async ({ database, runtime }) => {
      const late = Promise.withResolvers<void>()
      const lateWrite = Promise.withResolvers<void>()
      const written = Promise.withResolvers<void>()
      const stuck = database.transact(async (transaction) => {
        await put(transaction, 'stuck')
        written.resolve()
        await late.promise
        // The ended transaction may say that it has ended, or why.
        const write = assert.rejects(async () => put(transaction, 'late'), isThenceError)
        write.then(lateWrite.resolve, lateWrite.reject)
      })
      await written.promise
      const next = database.transact((transaction) => put(transaction, 'next'))
      runtime.advance(1001)
      await refuses('TRANSACTION_TIMEOUT', () => stuck)
      await next
      late.resolve()
      await lateWrite.promise
      assert.deepEqual(await keys(database), ['next'])
    },
    { make: { transactionTimeout: 1000 } },
  ),

  it(
    'a savepoint that fails after its transaction timed out takes nothing back from others',
    async ({ database, runtime }) => {
      const late = Promise.withResolvers<void>()
      const failed = Promise.withResolvers<unknown>()
      const written = Promise.withResolvers<void>()
      const stuck = database.transact(async (transaction) => {
        const inner = transaction.savepoint(async () => {
          await put(transaction, 'stuck')
          written.resolve()
          await late.promise
          throw new Error('too late')
        })
        await inner.catch(failed.resolve)
      })
      await written.promise
      runtime.advance(1001)
      await refuses('TRANSACTION_TIMEOUT', () => stuck)
      await database.transact(async (transaction) => {
        await put(transaction, 'a')
        late.resolve()
        await failed.promise
        await put(transaction, 'b')
      })
      assert.deepEqual(await keys(database), ['a', 'b'])
    },
    { make: { transactionTimeout: 1000 } },
  ),

  it(
    'a transaction that ends in time is left alone',
    async ({ database, runtime }) => {
      await database.transact(async (transaction) => {
        await put(transaction, 'a')
        runtime.advance(999)
        await put(transaction, 'b')
      })
      runtime.advance(5000)
      assert.deepEqual(await keys(database), ['a', 'b'])
    },
    { make: { transactionTimeout: 1000 } },
  ),

  it(
    'a transaction may be given more time, or less',
    async ({ database, runtime }) => {
      for (const [timeout, passing] of [
        [Infinity, 1e12],
        [5000, 4999],
      ] as const) {
        const work = async (transaction: Transaction): Promise<void> => {
          await put(transaction, `${timeout}`)
          runtime.advance(passing)
          await new Promise<void>((resolve) => runtime.soon(resolve))
          await put(transaction, `${timeout} later`)
        }
        await database.transact(work, { timeout })
      }
      assert.deepEqual(await keys(database), ['5000', '5000 later', 'Infinity', 'Infinity later'])
      const begun = Promise.withResolvers<void>()
      const stuck = database.transact(
        async (transaction) => {
          await put(transaction, 'stuck')
          begun.resolve()
          await new Promise(() => undefined)
        },
        { timeout: 10 },
      )
      await begun.promise
      runtime.advance(11)
      await refuses('TRANSACTION_TIMEOUT', () => stuck)
      assert.equal((await keys(database)).includes('stuck'), false)
    },
    { make: { transactionTimeout: 1000 } },
  ),
]

async function assertEnded(ended: Transaction): Promise<void> {
  const seen = { position: 0, generation: 0 }
  const uses: readonly (() => unknown)[] = [
    () => ended.events.head(),
    () => ended.events.append({ stream: 's', messages: messages('late') }),
    () => ended.checkpoints.move('s', seen, 1),
    () => ended.retries.summary(),
    () => ended.deadLetters.counts(),
    () => ended.inbox.recall('c', 'm'),
    () => ended.timers.wait(),
    () => ended.timers.now(),
    () => ended.snapshots.load('s', 't'),
    () => ended.documents.put('c', 'late', '{}'),
    () => ended.audit.list({ limit: 1 }),
    () => ended.jobs.get('j'),
    () => ended.sizes.read(1),
    () => ended.savepoint(() => 1),
  ]
  for (const use of uses) await refuses('STATE_INVALID', use)
}
