// The order `concurrent`: an append that is open holds up no other writer, and readers only where it stands; conditions still hold.
import type { Pool } from 'pg'
import type { Database } from 'thence'
import type { PostgresClient, PostgresPool, PostgresQuery } from 'thence/postgres'
import { virtualRuntime } from 'thence/testing'
import { expect, it, onTestFinished } from 'vitest'
import { message } from '../../src/conformance/samples.ts'
import type { AppendRequest, Page } from '../../src/ports/events.ts'
import { holdingOwn, open, place, request, waitedFor } from '../kit/open-append.ts'

/** A transaction that has appended, and stays open until it is ended. */
const holding = async (database: Database, appended: AppendRequest) => {
  const written = Promise.withResolvers<void>()
  const ending = Promise.withResolvers<void>()
  const done = database.transact(
    async ({ events }) => {
      await events.append(appended)
      written.resolve()
      await ending.promise
    },
    { timeout: Infinity },
  )
  done.catch(() => undefined)
  await Promise.race([written.promise, done])
  return { done, commit: () => ending.resolve(), undo: () => ending.reject(new Error('undone')) }
}

const idsIn = async (database: Database): Promise<readonly string[]> => {
  const page = await database.read(({ events }) => events.readAll({ limit: 100 }))
  return page.messages.map(({ id }) => id)
}

const heads = (database: Database): Promise<readonly [number, number]> =>
  database.read(async ({ events }) => [await events.head(), await events.head({ unsettled: true })])

it('an open append holds up no other writer, and the log is read up to it until it commits', async () => {
  const at = place()
  const [one, two] = [await open(at), await open(at)]
  const held = await holding(one, request('a', 'first'))
  expect(await two.append([request('b', 'second')])).toMatchObject([{ outcome: 'appended' }])
  expect(await idsIn(two)).toEqual([])
  expect(await heads(two)).toEqual([0, 2])
  held.commit()
  await held.done
  expect(await idsIn(two)).toEqual(['first', 'second'])
  expect(await heads(two)).toEqual([2, 2])
})

it('what was rolled back leaves a gap that nobody waits for', async () => {
  const at = place()
  const [one, two] = [await open(at), await open(at)]
  const held = await holding(one, request('a', 'first'))
  await two.append([request('b', 'second')])
  held.undo()
  await expect(held.done).rejects.toThrow('undone')
  expect(await idsIn(two)).toEqual(['second'])
  expect(await heads(two)).toEqual([2, 2])
})

const conditions = {
  'a tag': [{ tags: ['seat'] }],
  'a type': [{ types: [message('any').type] }],
  everything: [],
}

it.each(Object.entries(conditions))(
  'a condition over %s waits for an open append that it concerns',
  async (_over, query) => {
    const at = place()
    const [one, two] = [await open(at), await open(at)]
    const held = await holding(one, request('a', 'first', ['seat']))
    const asked = two.append([
      { ...request('b', 'second', ['seat']), condition: { query, after: 0 } },
    ])
    const earlier = await Promise.race([asked, waitedFor(at)])
    held.commit()
    expect(earlier).toBe('waits')
    expect(await asked).toMatchObject([{ outcome: 'condition-failed' }])
  },
)

it.each([
  ['to the same stream', request('a', 'second')],
  [
    'with the same `once`',
    { ...request('b', 'second'), once: { consumer: 'mail', id: '1', digest: 'd' } },
  ],
])('an append %s waits for one that is open, and is judged by it', async (_where, second) => {
  const at = place()
  const [one, two] = [await open(at), await open(at)]
  const once = { consumer: 'mail', id: '1', digest: 'd' }
  const held = await holdingOwn(at, one, { ...request('a', 'first'), once })
  // In a transaction of the user's nothing is tried again.
  const asked = holdingOwn(at, two, { ...second, expected: 'none' })
  const earlier = await Promise.race([asked, waitedFor(at)])
  await held.commit()
  expect(earlier).toBe('waits')
  const { verdict, undo } = await asked
  expect(verdict).toMatchObject({ outcome: 'once' in second ? 'duplicate' : 'conflict' })
  await undo()
})

it('of two open appends of one id the second waits for the first, and is judged again', async () => {
  const at = place()
  const [one, two] = [await open(at), await open(at)]
  const held = await holdingOwn(at, one, request('a', 'same'))
  const asked = two.append([request('b', 'same')])
  const own = holdingOwn(at, two, request('c', 'same'))
  own.catch(() => undefined)
  const earlier = await Promise.race([asked, waitedFor(at, 2)])
  await held.commit()
  expect(earlier).toBe('waits')
  expect(await asked).toMatchObject([{ outcome: 'id-reused' }])
  // Nothing is judged again in a transaction of the user's: it has failed.
  await expect(own).rejects.toMatchObject({ code: 'STORE_BUSY' })
})

it('a transaction holds one mark, however often it appends; what is undone takes its mark along', async () => {
  const at = place()
  await open(at)
  const pool = at.pool()
  onTestFinished(() => pool.end())
  const client = await pool.connect()
  onTestFinished(() => client.release())
  const marks = async (): Promise<readonly number[]> => {
    const { rows } = await client.query<{ objid: number }>(
      "SELECT objid FROM pg_locks WHERE classid = 'positions'::regclass AND objsubid = 2",
    )
    return rows.map(({ objid }) => objid)
  }
  const take = 'SELECT take_positions(1)'
  await client.query(`BEGIN; ${take}; ${take}`)
  expect(await marks()).toEqual([0])
  await client.query(`COMMIT; BEGIN; SAVEPOINT mine; ${take}; ROLLBACK TO mine`)
  expect(await marks()).toEqual([])
  await client.query(take)
  expect(await marks()).toEqual([3])
  await client.query(`COMMIT; BEGIN; ${take}`)
  expect(await marks()).toEqual([4])
  await client.query('COMMIT')
})

/** A pool whose statements are announced before they are sent. */
const announcing = (pool: Pool, announce: () => Promise<unknown>): PostgresPool => ({
  async connect() {
    const client = await pool.connect()
    const query: PostgresClient['query'] = client.query.bind(client)
    return {
      async query(asked: PostgresQuery & string) {
        await announce()
        return query(asked)
      },
      on: client.on.bind(client),
      off: client.off.bind(client),
      release: (destroy) => client.release(destroy),
    }
  },
  on: (event, listener) => pool.on(event, listener),
  end: () => pool.end(),
})

const page = { limit: 100 }
const ways: Readonly<Record<string, (database: Database, after: number) => Promise<Page>>> = {
  'by itself': (database, after) =>
    database.read(({ events }) => events.readAll({ ...page, after }), { apart: true }),
  'in a transaction that reads': (database, after) =>
    database.read(({ events }) => events.readAll({ ...page, after })),
  'in a transaction that writes': (database, after) =>
    database.transact(({ events }) => events.readAll({ ...page, after })),
}

it.each(Object.entries(ways))(
  'a page that is read %s has nothing without what is below it, whatever is committed between two of its statements',
  async (_how, read) => {
    const at = place()
    const writer = await open(at)
    let announce = (): Promise<unknown> => Promise.resolve()
    const pool = announcing(at.pool(), () => announce())
    const reader = at.connect({ pool, order: 'concurrent', listen: false })
    onTestFinished(() => reader.close())
    await reader.open(virtualRuntime())
    await read(reader, 0)
    let through = 0
    for (const moment of [0, 1, 2, 3, 4]) {
      const held = await holdingOwn(at, writer, request(`a${moment}`, `first ${moment}`))
      await writer.append([request(`b${moment}`, `second ${moment}`)])
      let statements = 0
      announce = async () => statements++ === moment && held.commit()
      const seen = await read(reader, through)
      if (statements <= moment) await held.commit()
      const ids = seen.messages.map(({ id }) => id)
      expect(ids).toEqual(ids.length === 0 ? [] : [`first ${moment}`, `second ${moment}`])
      expect(seen.through).toBe(seen.messages.at(-1)?.position ?? through)
      announce = () => Promise.resolve()
      through = (await read(reader, through)).through
    }
    expect(through).toBe(10)
  },
)

it('a store keeps the order that it was made with', async () => {
  const at = place()
  await open(at)
  await expect(open(at, { order: 'sequenced' })).rejects.toMatchObject({ code: 'CONFIG_INVALID' })
  const same = await open(at, {})
  expect(await same.append([request('a', 'first')])).toMatchObject([{ position: 1 }])
})
