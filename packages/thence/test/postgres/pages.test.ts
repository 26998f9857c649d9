// Pages that hold messages larger than their share: what was not sent at first is fetched, by one snapshot or not at all.
import { virtualRuntime } from 'thence/testing'
import type { PostgresClient, PostgresPool, PostgresQuery } from 'thence/postgres'
import type { Pool, PoolClient } from 'pg'
import { expect, it, onTestFinished } from 'vitest'
import { message } from '../../src/conformance/samples.ts'
import { postgresPlace } from '../kit/postgres.ts'

const large = JSON.stringify({ text: 'é'.repeat(2000) })

/** Every fifth is large, and differs from the others in whatever else a message has. */
const stored = Array.from({ length: 20 }, (_, index) => {
  const id = `m${index + 1}`
  if (index % 5 !== 2) return message(id)
  return message(id, {
    kind: index % 2 === 0 ? 'command' : 'event',
    schemaVersion: 1 + (index % 3),
    metadata: index % 2 === 0 ? large : '{"more":1}',
    data: large,
    tags: ['a'],
  })
})

/** A pool whose connections tell of what they are asked before they ask it. */
const telling = (pool: Pool, before: (text: string) => Promise<void>): PostgresPool => {
  const client = (one: PoolClient): PostgresClient => {
    const query: PostgresClient['query'] = one.query.bind(one)
    return {
      query: async (asked: PostgresQuery & string) => {
        await before(asked.text ?? '')
        return query(asked)
      },
      on: one.on.bind(one),
      off: one.off.bind(one),
      release: (destroy) => one.release(destroy),
    }
  }
  return {
    connect: async () => client(await pool.connect()),
    on: (event, listener) => pool.on(event, listener),
    end: () => pool.end(),
  }
}

const open = async (before: (text: string) => Promise<void>) => {
  const place = postgresPlace()
  onTestFinished(() => place.dispose())
  const database = place.connect({ pool: telling(place.pool(), before), listen: false })
  onTestFinished(() => database.close())
  await database.open(virtualRuntime())
  await database.migrate()
  await database.append([{ stream: 's', messages: stored }])
  return database
}

it('messages that are larger than their share of a page come whole, as far as they fit', async () => {
  const database = await open(async () => undefined)
  // One of 8022 bytes, one of 4021 and ten of 16; the next has 8022 again.
  const wanted = stored.slice(0, 12).map((each, index) => ({
    ...each,
    stream: 's',
    version: index + 1,
    position: index + 1,
  }))
  const page = await database.read(({ events }) => events.readAll({ limit: 30, maxBytes: 20_000 }))
  expect(page).toEqual({ messages: wanted, through: 12, more: true })
})

it('a stream that is trimmed before they are fetched is read anew, without a gap', async () => {
  const fetching = Promise.withResolvers<void>()
  const trimmed = Promise.withResolvers<void>()
  const database = await open(async (text) => {
    if (!text.includes('WHERE position = ANY')) return
    fetching.resolve()
    await trimmed.promise
  })
  const bounds = { backwards: true, limit: 30, maxBytes: 20_000 }
  const reading = database.read(({ events }) => events.readStream('s', bounds), { apart: true })
  await fetching.promise
  await database.transact(({ events }) => events.trim('s', { through: 13, limit: 20 }))
  trimmed.resolve()
  expect((await reading).map(({ version }) => version)).toEqual([20, 19, 18, 17, 16, 15, 14])
})
