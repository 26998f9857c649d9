// A server that is silent: no call waits for ever, what is certain is told apart from what is not, and the store goes on afterwards. The clock
// of the test moves on when the call is out, so that nobody waits.
import type { Database } from 'thence'
import type { VirtualRuntime } from 'thence/testing'
import { virtualRuntime } from 'thence/testing'
import { Pool } from 'pg'
import { expect, inject, it, onTestFinished } from 'vitest'
import { messages } from '../../src/conformance/samples.ts'
import { postgresPlace } from '../kit/postgres.ts'
import { networkTo } from '../kit/silent-network.ts'

const open = async () => {
  const network = await networkTo(inject('postgres'))
  const place = postgresPlace()
  onTestFinished(() => place.dispose())
  const runtime = virtualRuntime()
  const pool = new Pool({ connectionString: network.url, max: 3 })
  const database = place.connect({ pool, listen: false, transactionTimeout: 3_600_000 })
  onTestFinished(() => database.close())
  await database.open(runtime)
  await database.migrate()
  return { network, runtime, pool, database }
}

/** Lets time pass, from timer to timer, until the call has ended. The network is cut before, so that nothing but time can end it. */
const inTime = async <T>(runtime: VirtualRuntime, call: Promise<T>): Promise<T> => {
  let out = true
  const ended = call.finally(() => (out = false))
  ended.catch(() => undefined)
  while (out) {
    await new Promise((resolve) => setImmediate(resolve))
    await runtime.step()
  }
  return ended
}

const append = (database: Database, ...ids: readonly string[]) =>
  database.append([{ stream: 's', messages: messages(...ids) }])

const head = (database: Database) => database.read(({ events }) => events.head())

it('a read fails, and its connection is not used again', async () => {
  const { network, runtime, pool, database } = await open()
  network.cut()
  const before = runtime.now()
  await expect(inTime(runtime, head(database))).rejects.toMatchObject({
    code: 'STORE_FAILED',
    message: expect.stringMatching(/nothing for 65000 ms/),
  })
  expect(runtime.now() - before).toBe(65_000)
  expect(pool.totalCount).toBe(0)
  network.mend()
  expect(await head(database)).toBe(0)
})

it('what becomes of an append is not known, and it is safe to append again', async () => {
  const { network, runtime, database } = await open()
  network.deafen()
  await expect(inTime(runtime, append(database, 'a'))).rejects.toMatchObject({
    code: 'OUTCOME_UNKNOWN',
  })
  network.mend()
  expect((await append(database, 'a'))[0]?.outcome).toMatch(/^(appended|duplicate)$/)
  expect(await head(database)).toBe(1)
})

it('so it is with a commit', async () => {
  const { network, runtime, database } = await open()
  const { promise: cut, resolve } = Promise.withResolvers<void>()
  const call = database.transact(async ({ documents }) => {
    await documents.put('c', 'k', '{}')
    network.deafen()
    resolve()
  })
  call.catch(() => undefined)
  await cut
  await expect(inTime(runtime, call)).rejects.toMatchObject({ code: 'OUTCOME_UNKNOWN' })
})

it('a statement in a transaction fails, the transaction with it, and nothing of it stays', async () => {
  const { network, runtime, database } = await open()
  const { promise: cut, resolve } = Promise.withResolvers<void>()
  const call = database.transact(async ({ documents, sql }) => {
    await documents.put('c', 'k', '{}')
    network.cut()
    resolve()
    await sql.run('SELECT 1')
  })
  call.catch(() => undefined)
  await cut
  await expect(inTime(runtime, call)).rejects.toMatchObject({ code: 'STORE_FAILED' })
  network.mend()
  // The server learns of it from the closed connection.
  expect(await database.transact(({ documents }) => documents.get('c', 'k'))).toBe(undefined)
})

it('no connection is waited for that does not come', async () => {
  const { network, runtime, pool, database } = await open()
  network.cut()
  const calls = [1, 2, 3, 4].map(() => head(database))
  const ended = await inTime(runtime, Promise.allSettled(calls))
  expect(ended.map(({ status }) => status)).toEqual(calls.map(() => 'rejected'))
  expect(pool.waitingCount).toBe(0)
  await inTime(runtime, database.close())
})

it('a store is closed though nobody answers', async () => {
  const { network, runtime, database } = await open()
  network.cut()
  await inTime(runtime, database.close())
})
