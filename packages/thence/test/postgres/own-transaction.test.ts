// What a transaction that a user holds may be, what becomes of it when something fails, and that nothing is written before it is known
// to be the right one.
import { Pool, type PoolClient } from 'pg'
import type { WithinTransaction } from 'thence'
import { memory } from 'thence/memory'
import { fromPg } from 'thence/postgres'
import { testApp } from 'thence/testing'
import { expect, it, onTestFinished } from 'vitest'
import { OwnClient } from '../../src/adapters/postgres/own-client.ts'
import { all } from '../kit/places.ts'
import { begun, clientOf, ordered, type Shop, shopOfTest, Order, Total } from '../kit/own/shop.ts'

const appendOf =
  (shop: Shop, id: string) =>
  (client: PoolClient): Promise<unknown> =>
    shop.app.within(fromPg(client), (tx) => tx.append(ordered(id)))

type Handle = WithinTransaction<'Order' | 'Pack'>

const insert = 'INSERT INTO orders (id) VALUES ($1)'

it('a savepoint of the user takes back what was done behind it, and lets others go on', async () => {
  const shop = await shopOfTest()
  const client = await begun(shop)
  const append = appendOf(shop, 'a')
  await client.query('SAVEPOINT before')
  await client.query(insert, ['1'])
  await append(client)
  await client.query('ROLLBACK TO SAVEPOINT before')
  expect(await shop.app.append(ordered('b'))).toMatchObject({ position: 1 })
  await client.query(insert, ['2'])
  await client.query('SAVEPOINT thence_within')
  await append(client)
  await client.query('RELEASE SAVEPOINT before')
  await append(client)
  await client.query('COMMIT')
  expect(await shop.orders('')).toEqual(['2'])
  expect((await all(shop.app.log())).map(({ stream }) => stream)).toEqual(['b', 'a', 'a'])
  expect(await shop.app.ask(Total('a'))).toBe(2)
})

it('a token of what was rolled back is refused with both of what may have happened', async () => {
  const shop = await shopOfTest()
  const client = await begun(shop)
  const { token } = await shop.app.within(fromPg(client), (tx) => tx.append(ordered('a')))
  await client.query('ROLLBACK')
  await expect(shop.app.ask(Total('a'), { after: token })).rejects.toMatchObject({
    code: 'TOKEN_INVALID',
    message: expect.stringMatching(
      /the transaction was rolled back .*`within`.* or the store was restored/,
    ),
  })
})

it('however often it is called, the server keeps no lock for each call, and one call sends nothing for that', async () => {
  const shop = await shopOfTest()
  const client = await begun(shop)
  const sent: string[] = []
  const plain = fromPg(client)
  const own: typeof plain = {
    ...plain,
    query: (text, values) => {
      sent.push(text)
      return plain.query(text, values)
    },
  }
  const append = () => shop.app.within(own, (tx) => tx.append(ordered('a')))
  await append()
  expect(sent.filter((text) => text === 'RELEASE SAVEPOINT thence_within')).toEqual([])
  await client.query('SAVEPOINT mine')
  for (let calls = 1; calls < 8; calls += 1) await append()
  const { rows } = await client.query(
    "SELECT FROM pg_locks WHERE locktype = 'transactionid' AND pid = pg_backend_pid()",
  )
  // Of the transaction, of the first call and of the savepoint of the user's.
  expect(rows.length).toBeLessThanOrEqual(3)
  await client.query('ROLLBACK TO SAVEPOINT mine')
  await append()
  await client.query('COMMIT')
  expect((await all(shop.app.log())).map(({ version }) => version)).toEqual([1, 2])
})

it('another isolation is refused before anything is written', async () => {
  const shop = await shopOfTest()
  for (const level of ['REPEATABLE READ', 'SERIALIZABLE']) {
    const client = await clientOf(shop)
    await client.query(`BEGIN ISOLATION LEVEL ${level}`)
    await client.query(insert, [level])
    await expect(appendOf(shop, 'a')(client)).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
      message: expect.stringContaining(level.toLowerCase()),
    })
    await client.query('COMMIT')
  }
  const client = await clientOf(shop)
  await client.query('BEGIN READ ONLY')
  await expect(appendOf(shop, 'a')(client)).rejects.toMatchObject({ code: 'STORE_READ_ONLY' })
  await client.query('COMMIT')
  expect(await shop.orders('')).toEqual(['REPEATABLE READ', 'SERIALIZABLE'])
  expect(await shop.head()).toBe(0)
})

it('a transaction in another database is refused, also if there is a store of that name', async () => {
  const shop = await shopOfTest()
  const { schema, url } = shop.where
  await shop.beside.query(`CREATE DATABASE ${schema}`)
  const elsewhere = new Pool({ connectionString: url.replace(/[^/]*$/, schema) })
  onTestFinished(async () => {
    await elsewhere.end()
    await shop.beside.query(`DROP DATABASE ${schema}`)
  })
  const client = await elsewhere.connect()
  await client.query('BEGIN')
  await client.query('CREATE TABLE mine (id text)')
  await expect(appendOf(shop, 'a')(client)).rejects.toMatchObject({ code: 'CONFIG_INVALID' })
  await client.query(`CREATE SCHEMA ${schema} CREATE TABLE meta (key text, value text)`)
  await client.query(`INSERT INTO ${schema}.meta VALUES ('store_id', 'another')`)
  await expect(appendOf(shop, 'a')(client)).rejects.toMatchObject({ code: 'CONFIG_INVALID' })
  await client.query('COMMIT')
  await client.query('TABLE mine')
  client.release()
})

it('what is no open transaction is refused', async () => {
  const shop = await shopOfTest()
  const append = appendOf(shop, 'a')
  const client = await clientOf(shop)
  // Not begun.
  await expect(append(client)).rejects.toMatchObject({ code: 'STATE_INVALID' })
  const pool = shop.app.within(fromPg(shop.beside), (tx) => tx.append(ordered('a')))
  await expect(pool).rejects.toMatchObject({ code: 'STATE_INVALID' })
  // Failed before.
  await client.query('BEGIN')
  await expect(client.query('SELECT 1 / 0')).rejects.toThrow('division')
  await expect(append(client)).rejects.toMatchObject({ code: 'STATE_INVALID' })
  await client.query('ROLLBACK')
  // Not a transaction at all.
  const nothing = { library: 'none', of: {}, query: async () => [] }
  await expect(shop.app.within(nothing, () => 1)).rejects.toMatchObject({ code: 'CONFIG_INVALID' })
  // @ts-expect-error -- a client itself
  await expect(shop.app.within(client, () => 1)).rejects.toMatchObject({ code: 'CONFIG_INVALID' })
  expect(await shop.head()).toBe(0)
})

it('a store that cannot do that says so', async () => {
  await using test = await testApp((builder) => builder, { database: memory() })
  const own = { library: 'any', of: {}, query: async () => [] }
  await expect(test.app.within(own, () => 1)).rejects.toMatchObject({ code: 'CAPABILITY_MISSING' })
})

it('two at once in one transaction run one after the other, and one that fails takes no other along', async () => {
  const shop = await shopOfTest()
  const client = await begun(shop)
  const within = (id: string, fails: boolean) =>
    shop.app.within(fromPg(client), async (tx) => {
      await tx.append(ordered(id))
      if (fails) throw new Error(id)
      await tx.append(ordered(id))
    })
  const settled = await Promise.allSettled([
    within('a', true),
    within('b', false),
    within('c', true),
    within('d', false),
  ])
  expect(settled.map(({ status }) => status)).toEqual([
    'rejected',
    'fulfilled',
    'rejected',
    'fulfilled',
  ])
  await client.query('COMMIT')
  expect((await all(shop.app.log())).map(({ stream }) => stream)).toEqual(['b', 'b', 'd', 'd'])
})

it('nothing of the app is called from inside, and nothing is used after the end', async () => {
  const shop = await shopOfTest()
  const client = await begun(shop)
  const own = fromPg(client)
  const nested = { code: 'TRANSACTION_NESTED' }
  const ended = { code: 'STATE_INVALID' }
  const { value: late } = await shop.app.within(own, async (tx) => {
    await expect(shop.app.append(ordered('a'))).rejects.toMatchObject(nested)
    await expect(shop.app.within(own, () => 1)).rejects.toMatchObject(nested)
    await expect(shop.app.transaction(() => 1)).rejects.toMatchObject(nested)
    await tx.append(ordered('b'))
    return tx
  })
  await expect(late.append(ordered('a'))).rejects.toMatchObject(ended)
  const forgotten = shop.app.within(own, (tx) => void tx.append(ordered('a')))
  await expect(forgotten).rejects.toMatchObject(ended)
  await client.query('COMMIT')
  expect((await all(shop.app.log())).map(({ stream }) => stream)).toEqual(['b'])
})

it('what the server refuses inside is undone, and the transaction goes on', async () => {
  const shop = await shopOfTest()
  const client = await begun(shop)
  await client.query(insert, ['1'])
  const failing = shop.app.within(fromPg(client), async (tx) => {
    await tx.append(ordered('a'))
    // As anything that goes wrong there, for example for want of disk.
    await client.query('SELECT 1 / 0').catch(() => undefined)
    await tx.append(ordered('b')).catch(() => undefined)
    return 'all is well'
  })
  await expect(failing).rejects.toMatchObject({ code: 'STORE_FAILED' })
  await appendOf(shop, 'c')(client)
  await client.query('COMMIT')
  expect(await shop.orders('')).toEqual(['1'])
  expect((await all(shop.app.log())).map(({ stream }) => stream)).toEqual(['c'])
})

it('work that takes too long is undone', async () => {
  // Else the app itself would wait for its turn to write.
  const shop = await shopOfTest({ inline: false })
  const client = await begun(shop)
  await client.query(insert, ['1'])
  const begins = Promise.withResolvers<void>()
  const never = Promise.withResolvers<void>()
  const work = async (tx: Handle): Promise<void> => {
    await tx.append(ordered('a'))
    begins.resolve()
    await never.promise
  }
  const long = shop.app.within(fromPg(client), work, { timeout: '8s' })
  await begins.promise
  await Promise.all([
    expect(long).rejects.toMatchObject({ code: 'TRANSACTION_TIMEOUT' }),
    shop.test.runtime.advance('8s'),
  ])
  await client.query('COMMIT')
  expect(await shop.orders('')).toEqual(['1'])
  expect(await shop.head()).toBe(0)
})

it('work that is given up is undone', async () => {
  const shop = await shopOfTest()
  const client = await begun(shop)
  await client.query(insert, ['1'])
  const giving = new AbortController()
  const never = Promise.withResolvers<void>()
  const work = async (tx: Handle): Promise<void> => {
    await tx.append(ordered('a'))
    giving.abort()
    await never.promise
  }
  const given = shop.app.within(fromPg(client), work, { signal: giving.signal })
  await expect(given).rejects.toMatchObject({ code: 'ABORTED' })
  await client.query('COMMIT')
  expect(await shop.orders('')).toEqual(['1'])
  expect(await shop.head()).toBe(0)
})

it('of two that do the same at once, the second waits and is given what the first one did', async () => {
  const shop = await shopOfTest({ inline: false })
  const once = { consumer: 'orders', id: 'delivery 7' }
  const [first, second] = [await begun(shop), await begun(shop)]
  const send = (client: PoolClient) =>
    shop.app.within(fromPg(client), (tx) => tx.send(Order({ id: 'a', n: 4 })), { once })
  expect(await send(first)).toMatchObject({ position: 1, duplicate: false })
  const waiting = send(second)
  await first.query('COMMIT')
  expect(await waiting).toMatchObject({ position: 1, duplicate: true, value: { version: 1 } })
  await second.query('COMMIT')
  expect(await shop.head()).toBe(1)
})

it('whatever commits and rolls back at once, positions have no gap and versions no hole', async () => {
  const shop = await shopOfTest()
  const run = async (index: number): Promise<void> => {
    const client = await shop.beside.connect()
    await client.query('BEGIN')
    await client.query(insert, [String(index)])
    await appendOf(shop, `s${index % 3}`)(client)
    await client.query(index % 4 === 0 ? 'ROLLBACK' : 'COMMIT')
    client.release()
  }
  await Promise.all([
    ...Array.from({ length: 24 }, (_, index) => run(index)),
    ...Array.from({ length: 24 }, (_, index) => shop.app.append(ordered(`s${index % 3}`))),
  ])
  const log = await all(shop.app.log())
  expect(log.map(({ position }) => position)).toEqual(Array.from({ length: 42 }, (_, n) => n + 1))
  for (const stream of ['s0', 's1', 's2'])
    expect(log.filter((one) => one.stream === stream).map(({ version }) => version)).toEqual(
      Array.from({ length: 14 }, (_, n) => n + 1),
    )
  expect(await shop.app.ask(Total('s1'))).toBe(14)
})

it('an empty list is one of whatever the statement compares it with', async () => {
  const client = await begun(await shopOfTest())
  const own = new OwnClient(fromPg(client))
  const text = `SELECT name FROM (VALUES ('a')) AS t(name) WHERE name <> ALL ($1) AND 1 <> ALL ($1)`
  const types = { getTypeParser: () => String }
  expect((await own.query({ text, values: [[]], types })).rows).toEqual([['a']])
  await client.query('COMMIT')
})
