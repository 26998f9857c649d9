/** The life of a database: migrating, closing, and what survives the end of the process. */
import { strict as assert } from 'node:assert'
import type { Database } from '../ports/database.ts'
import { type Case, casesOf, shared } from './case.ts'
import { readEverything, writeEverything } from './everything.ts'
import {
  given,
  head,
  idsOf,
  judge,
  messages,
  readAll,
  refuses,
  whileTimePasses,
} from './samples.ts'

const it = casesOf('database')

const everything = (database: Database): Promise<unknown> =>
  database.read((transaction) => readEverything(transaction, ['a', 'b']))

const migrating: readonly Case[] = [
  it('a database has a name and says what it can', async ({ database }) => {
    assert.notEqual(database.name, '')
    assert.equal(typeof database.capabilities.sql, 'boolean')
    assert.equal(typeof database.capabilities.durable, 'boolean')
    assert.equal(typeof database.capabilities.shared, 'boolean')
    assert.equal(database.listen !== undefined, database.capabilities.notifies)
  }),

  it(
    'a new store lacks the migrations that its plan tells, in order of number',
    async ({ database }) => {
      const { current, pending } = await database.plan()
      assert.equal(current, 0)
      const numbers = pending.map(({ number }) => number)
      assert.deepEqual(
        numbers,
        numbers.toSorted((a, b) => a - b),
      )
      assert.equal(new Set(numbers).size, numbers.length)
      for (const { number, name, script } of pending)
        assert.equal(number > 0 && name !== '' && script !== '', true)
    },
    { make: { migrate: false } },
  ),

  it(
    'planning changes nothing',
    async ({ database }) => {
      const before = await database.plan()
      assert.deepEqual(await database.plan(), before)
      assert.deepEqual((await database.migrate()).pending, before.pending)
    },
    { make: { migrate: false } },
  ),

  it(
    'migrating applies what is missing, once',
    async ({ database }) => {
      const { pending } = await database.plan()
      const last = pending.at(-1)?.number ?? 0
      assert.deepEqual((await database.migrate()).pending, pending, 'it tells what it ran')
      assert.deepEqual(await database.plan(), { current: last, pending: [] })
      await given(database, 's', messages('a'))
      assert.deepEqual((await database.migrate()).pending, [])
      assert.deepEqual(idsOf((await readAll(database)).messages), ['a'])
    },
    { make: { migrate: false } },
  ),

  it(
    'many that migrate at once apply each migration once',
    async ({ database }) => {
      const { pending } = await database.plan()
      const ran = await Promise.all([database.migrate(), database.migrate(), database.migrate()])
      assert.deepEqual(
        ran.flatMap((plan) => plan.pending),
        pending,
      )
      assert.equal(await head(database), 0)
    },
    { make: { migrate: false } },
  ),

  it(
    'two processes that migrate at once apply each migration once',
    async (subject) => {
      const { pending } = await subject.database.plan()
      const both = [subject.database, await subject.second()]
      const migrations = Promise.all(both.map((one) => one.migrate()))
      const ran = await whileTimePasses(subject.runtime, migrations)
      assert.deepEqual(
        ran.flatMap((plan) => plan.pending),
        pending,
      )
    },
    { make: { migrate: false }, requires: shared },
  ),
]

const named: readonly Case[] = [
  it('a store has a name of its own that does not change', async ({ database }) => {
    const identity = await database.identity()
    assert.match(identity, /^[A-Za-z0-9-]{1,64}$/u)
    await given(database, 's', messages('a'))
    assert.equal((await database.migrate()).pending.length, 0)
    assert.equal(await database.identity(), identity)
  }),

  it(
    'every connection to a store gives its name, also when it is opened again',
    async (subject) => {
      const identity = await subject.database.identity()
      const second = await subject.second()
      assert.equal(await second.identity(), identity)
      assert.equal(await (await subject.reopen()).identity(), identity)
    },
    { requires: shared },
  ),
]

const closing: readonly Case[] = [
  it(
    'closing one connection leaves the others open',
    async (subject) => {
      const second = await subject.second()
      await subject.database.close()
      await given(second, 's', messages('a'))
      const third = await subject.second()
      assert.deepEqual(idsOf((await readAll(third)).messages), ['a'])
      await second.close()
      await given(third, 's', messages('b'))
      assert.equal(await head(third), 2)
    },
    { requires: shared },
  ),

  it('closing twice is closing once', async ({ database }) => {
    await Promise.all([database.close(), database.close()])
    await database.close()
  }),

  it('a closed database refuses everything', async ({ database, runtime }) => {
    await database.close()
    await refuses('STORE_CLOSED', () => database.append([]))
    await refuses('STORE_CLOSED', () => database.transact(() => 1))
    await refuses('STORE_CLOSED', () => database.read(() => 1))
    await refuses('STORE_CLOSED', () => database.plan())
    await refuses('STORE_CLOSED', () => database.migrate())
    await refuses('STORE_CLOSED', () => database.identity())
    await refuses('STORE_CLOSED', () => database.open(runtime))
  }),

  it('closing lets what was called before it finish', async ({ database }) => {
    const written = Promise.withResolvers<void>()
    const pause = Promise.withResolvers<void>()
    const open = database.transact(async ({ checkpoints }) => {
      written.resolve()
      await pause.promise
      return checkpoints.move('s', { position: 0, generation: 0 }, 1)
    })
    const waiting = judge(database, { stream: 's', messages: messages('a') })
    await written.promise
    const closed = database.close()
    pause.resolve()
    assert.equal(await open, true)
    assert.equal((await waiting).outcome, 'appended')
    await closed
  }),
]

const lasting: readonly Case[] = [
  it(
    'what was committed is there when the store is opened again, in every port',
    async (subject) => {
      await subject.database.transact((transaction) => writeEverything(transaction, 'a'))
      await given(subject.database, 's', messages('x'))
      const before = await everything(subject.database)
      const again = await subject.reopen()
      assert.deepEqual(await everything(again), before)
      assert.deepEqual((await again.plan()).pending, [])
      assert.equal((await given(again, 's', messages('y'))).position, 6)
    },
    { requires: shared },
  ),

  it(
    'what was rolled back is not there when the store is opened again',
    async (subject) => {
      const before = await everything(subject.database)
      const rollback = subject.database.transact(async (transaction) => {
        await writeEverything(transaction, 'a')
        throw new Error('roll back')
      })
      await assert.rejects(rollback, /roll back/)
      assert.deepEqual(await everything(await subject.reopen()), before)
    },
    { requires: shared },
  ),

  it(
    'a retried append is a duplicate after the store was opened again',
    async (subject) => {
      const request = { stream: 's', expected: 'none' as const, messages: messages('a') }
      await judge(subject.database, request)
      const again = await judge(await subject.reopen(), request)
      assert.deepEqual(again, {
        outcome: 'duplicate',
        stream: 's',
        version: 1,
        position: 1,
        count: 1,
      })
    },
    { requires: shared },
  ),

  it(
    'what one process committed another one sees, in every port',
    async (subject) => {
      const second = await subject.second()
      await subject.database.transact((transaction) => writeEverything(transaction, 'a'))
      assert.deepEqual(await everything(second), await everything(subject.database))
      await second.transact((transaction) => writeEverything(transaction, 'b'))
      assert.deepEqual(await everything(subject.database), await everything(second))
    },
    { requires: shared },
  ),

  it(
    'transactions of two processes that read and then write run one after the other',
    async (subject) => {
      const both = [subject.database, await subject.second()]
      const increment = (database: Database): Promise<void> =>
        database.transact(async ({ documents }) => {
          const value = Number((await documents.get('c', 'count')) ?? 0)
          await documents.put('c', 'count', String(value + 1))
        })
      const all = Array.from({ length: 20 }, (_, index) => increment(both[index % 2] as Database))
      await whileTimePasses(subject.runtime, Promise.all(all))
      const [first] = both as [Database]
      assert.equal(await first.read(({ documents }) => documents.get('c', 'count')), '20')
    },
    { requires: shared },
  ),
]

export const database: readonly Case[] = [...migrating, ...named, ...closing, ...lasting]
