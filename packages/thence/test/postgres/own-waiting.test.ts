// Who waits for a transaction that a user holds, what they are told, and that one that is forgotten holds up nobody for long.
import type { PoolClient } from 'pg'
import { fromPg } from 'thence/postgres'
import { virtualRuntime } from 'thence/testing'
import { expect, it, onTestFinished } from 'vitest'
import { begun, ordered, Pack, type Shop, shopOfTest, Total } from '../kit/own/shop.ts'
import { all } from '../kit/places.ts'

const append = (shop: Shop, client: PoolClient, id: string): Promise<unknown> =>
  shop.app.within(fromPg(client), (tx) => tx.append(ordered(id)))

const pidOf = async (client: PoolClient): Promise<number> =>
  (await client.query<{ pid: number }>('SELECT pg_backend_pid() AS pid')).rows[0]!.pid

it('others append until it appends itself; then they are told who holds them up', async () => {
  const shop = await shopOfTest({ inline: false, lockTimeout: 100 })
  const { app } = shop
  const client = await begun(shop)
  await client.query("SET LOCAL application_name = 'billing'")
  await app.within(fromPg(client), (tx) => tx.send(Pack({ id: 'a', n: 1 }), { in: '1h' }))
  expect(await app.append(ordered('b'))).toMatchObject({ position: 1 })
  await append(shop, client, 'a')
  const holder = { lock: 'append', pid: await pidOf(client), application: 'billing' }
  await expect(app.append(ordered('b'))).rejects.toMatchObject({
    code: 'STORE_BUSY',
    message: expect.stringContaining('(billing)'),
    details: { holder: { ...holder, since: expect.any(Number), state: 'idle in transaction' } },
  })
  const other = await begun(shop)
  await expect(append(shop, other, 'c')).rejects.toMatchObject({
    code: 'STORE_BUSY',
    details: { holder },
  })
  await client.query('COMMIT')
  // It was only the append that could not be had.
  await append(shop, other, 'c')
  await other.query('COMMIT')
  expect(await app.append(ordered('b'))).toMatchObject({ position: 4 })
})

it('where views change with appends, whoever writes waits from its beginning', async () => {
  const shop = await shopOfTest({ lockTimeout: 100 })
  const client = await begun(shop)
  await shop.app.within(fromPg(client), () => 'nothing yet')
  const holder = { lock: 'write', pid: await pidOf(client) }
  await expect(shop.app.append(ordered('b'))).rejects.toMatchObject({
    code: 'STORE_BUSY',
    details: { holder },
  })
  await client.query('ROLLBACK')
  expect(await shop.app.append(ordered('b'))).toMatchObject({ position: 1 })
})

it('in the order concurrent only those wait whom it concerns, and followers go on behind it', async () => {
  const shop = await shopOfTest({ inline: false, order: 'concurrent', lockTimeout: 100 })
  const { app } = shop
  const client = await begun(shop)
  await client.query("SET LOCAL application_name = 'billing'")
  await append(shop, client, 'a')
  expect(await app.append(ordered('b'))).toMatchObject({ position: 2 })
  await app.send(Pack({ id: 'b', n: 1 }))
  const holder = { lock: 'append', pid: await pidOf(client), application: 'billing' }
  await expect(app.append(ordered('a'))).rejects.toMatchObject({
    code: 'STORE_BUSY',
    message: expect.stringContaining('(billing)'),
    details: { holder: { ...holder, state: 'idle in transaction' } },
  })
  const other = await begun(shop)
  await expect(append(shop, other, 'a')).rejects.toMatchObject({
    code: 'STORE_BUSY',
    details: { holder },
  })
  await append(shop, other, 'c')
  await other.query('COMMIT')
  expect(await shop.head()).toBe(0)
  await client.query('COMMIT')
  await shop.test.advance('1s')
  expect(await app.ask(Total('a'))).toBe(1)
  expect(await app.ask(Total('b'))).toBe(1)
  expect((await all(app.stream('parcel-b'))).map(({ type }) => type)).toEqual(['Packed'])
})

const names = [
  'lock_timeout',
  'statement_timeout',
  'idle_in_transaction_session_timeout',
  'transaction_timeout',
] as const

/** In milliseconds; undefined where the server knows none of that name. */
const bounds = async (client: PoolClient): Promise<readonly (number | undefined)[]> => {
  const { rows } = await client.query<{ name: string; setting: string }>(
    'SELECT name, setting FROM pg_settings WHERE name = ANY ($1)',
    [names],
  )
  const found = new Map(rows.map(({ name, setting }) => [name, Number(setting)]))
  return names.map((name) => found.get(name))
}

it('the server bounds the rest of it, unless the user has bounded it more', async () => {
  const shop = await shopOfTest({ lockTimeout: 4000 })
  const client = await begun(shop)
  const before = await bounds(client)
  const present = (values: readonly number[]) =>
    values.map((value, index) => (before[index] === undefined ? undefined : value))
  await client.query('SAVEPOINT mine')
  await shop.app.within(fromPg(client), () => 1, { timeout: '7s' })
  expect(await bounds(client)).toEqual(present([4000, 8000, 8000, 8000]))
  await client.query('ROLLBACK TO SAVEPOINT mine')
  expect(await bounds(client)).toEqual(before)
  await client.query("SET LOCAL lock_timeout = '9s'; SET LOCAL statement_timeout = '7999ms'")
  await shop.app.within(fromPg(client), () => 1, { timeout: '7s' })
  expect(await bounds(client)).toEqual(present([4000, 7999, 8000, 8000]))
  await client.query('COMMIT')
  expect(await bounds(client)).toEqual(before)
})

it('one that is forgotten is ended by the server, and those who waited go on', async () => {
  const shop = await shopOfTest()
  const client = await begun(shop)
  const ended = new Promise((resolve) => client.once('error', resolve))
  await client.query("INSERT INTO orders VALUES ('1')")
  await shop.app.within(fromPg(client), (tx) => tx.append(ordered('a')), { timeout: 1 })
  expect(await shop.app.append(ordered('b'))).toMatchObject({ position: 1 })
  expect(await ended).toMatchObject({ code: expect.stringMatching(/^25P0[34]$/) })
  expect(await shop.orders('')).toEqual([])
})

it('who listens hears of it with the commit, without anybody who tells', async () => {
  const shop = await shopOfTest()
  // Not through the clock of the test, which does not wait for it.
  const other = shop.place.connect({ pool: shop.place.pool(), listen: true })
  onTestFinished(() => other.close())
  await other.open(virtualRuntime())
  const began = Promise.withResolvers<void>()
  const told: number[] = []
  const heard = Promise.withResolvers<void>()
  other.listen!({
    heard: (head) => {
      if (head === undefined) began.resolve()
      else told.push(head)
      if (head !== undefined) heard.resolve()
    },
    lost: heard.reject,
  })
  await began.promise
  const client = await begun(shop)
  await append(shop, client, 'a')
  await client.query('ROLLBACK')
  await client.query('BEGIN')
  await append(shop, client, 'a')
  expect(told).toEqual([])
  await client.query('COMMIT')
  await heard.promise
  expect(told).toEqual([1])
  expect(await other.read(({ events }) => events.head())).toBe(1)
})
