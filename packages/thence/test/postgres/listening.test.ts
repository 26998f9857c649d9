// How a process hears of what others append. The clock of each listener stands still, so nothing here is found by looking now and
// then; where time has to pass it is told to.
import { app, event, plain, type Database } from 'thence'
import { ManualRuntime } from 'thence/conformance'
import type { PostgresOptions, PostgresPool, PostgresQuery } from 'thence/postgres'
import { Pool, type PoolClient } from 'pg'
import { expect, inject, it, onTestFinished, vi } from 'vitest'
import { postgresPlace } from '../kit/postgres.ts'

const place = () => {
  const own = postgresPlace()
  onTestFinished(() => own.dispose())
  const opened: Database[] = []
  const open = async (options: Partial<PostgresOptions> = {}, runtime = new ManualRuntime()) => {
    const database = own.connect(options)
    opened.push(database)
    await database.open(runtime)
    await database.migrate()
    return { database, runtime }
  }
  onTestFinished(async () => {
    for (const one of opened) await one.close()
  })
  const beside = own.pool()
  onTestFinished(() => beside.end())
  return { connect: (options?: Partial<PostgresOptions>) => own.connect(options), open, beside }
}

const append = (database: Database, id: string) =>
  database.append([{ stream: id, messages: [message(id)] }])

const message = (id: string) => ({
  id,
  kind: 'event' as const,
  type: 'Noted',
  schemaVersion: 1,
  data: '{}',
  correlationId: null,
  causationId: null,
  metadata: null,
  tags: [],
  time: 0,
})

/** What a database is told; `look` stands for a call without a head. */
const listen = (database: Database) => {
  const told: (number | 'look' | 'lost')[] = []
  const listening = database.listen!({
    heard: (head) => void told.push(head ?? 'look'),
    lost: () => void told.push('lost'),
  })
  return { listening, told }
}

/** Looks until it holds; a test that waits in vain ends with its time. */
const until = (check: () => unknown): Promise<unknown> =>
  vi.waitFor(check, { timeout: 25_000, interval: 5 })

/** The server's number of the one connection that listens. */
const listener = async (beside: Pool, name: string): Promise<number> => {
  const { rows } = await beside.query<{ pid: number }>(
    `SELECT pid FROM pg_stat_activity WHERE application_name = $1 AND query LIKE '%thence\\_beat\\_%'`,
    [name],
  )
  expect(rows).toHaveLength(1)
  return rows[0]!.pid
}

const named = (name: string, options: ConstructorParameters<typeof Pool>[0] = {}): Pool =>
  new Pool({ connectionString: inject('postgres'), max: 4, application_name: name, ...options })

it('an app handles what another process appends without looking for it', async () => {
  const { connect, open, beside } = place()
  const name = `ear ${Math.random()}`
  const Noted = event('Noted', plain<object>())
  const handled: string[] = []
  const { database: writer, runtime } = await open({ listen: false })
  await using _reader = await app({
    database: connect({ pool: named(name) }),
    runtime: new ManualRuntime(),
  })
    .handle('ear', Noted, ({ id }) => void handled.push(id))
    .start()
  await until(() => listener(beside, name))
  // The first may be found by the look with which listening begins.
  for (const id of ['a', 'b', 'c']) {
    await append(writer, id)
    await until(() => {
      // Between two calls it waits for a moment by its own clock.
      runtime.advance(5)
      expect(handled).toContain(id)
    })
  }
})

it('a connection whose server process is ended is replaced, and what came meanwhile is looked for', async () => {
  const { open, beside } = place()
  const name = `ear ${Math.random()}`
  const { database, runtime } = await open({ pool: named(name) })
  const { listening, told } = listen(database)
  await until(() => expect(told).toEqual(['look']))
  await beside.query('SELECT pg_terminate_backend($1)', [await listener(beside, name)])
  await until(() => expect(told).toEqual(['look', 'lost']))
  expect(listening.live).toBe(false)
  runtime.advance(5000)
  await until(() => expect(told).toEqual(['look', 'lost', 'look']))
  const { database: other } = await open()
  await append(other, 'a')
  await until(() => expect(told.at(-1)).toBe(1))
})

it('a server that ends all connections and takes none for a while is tried again until it does', async () => {
  const { open, beside } = place()
  const base = `r_${Math.random().toString(36).slice(2)}`
  await beside.query(`CREATE DATABASE ${base}`)
  onTestFinished(async () => void (await beside.query(`DROP DATABASE ${base} WITH (FORCE)`)))
  const url = new URL(inject('postgres'))
  url.pathname = `/${base}`
  const pool = new Pool({ connectionString: url.href, max: 4 })
  const { database, runtime } = await open({ pool })
  onTestFinished(() => database.close())
  const { told } = listen(database)
  await until(() => expect(told).toEqual(['look']))
  await beside.query(`ALTER DATABASE ${base} ALLOW_CONNECTIONS false`)
  await beside.query('SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1', [
    base,
  ])
  for (const failures of [1, 2, 3]) {
    await until(() => expect(told.filter((one) => one === 'lost')).toHaveLength(failures))
    runtime.advance(5000)
  }
  await until(() => expect(told.filter((one) => one === 'lost')).toHaveLength(4))
  await beside.query(`ALTER DATABASE ${base} ALLOW_CONNECTIONS true`)
  runtime.advance(5000)
  await until(() => expect(told.at(-1)).toBe('look'))
  await append(database, 'a')
  await until(() => expect(told.at(-1)).toBe(1))
})

/** A pool whose connections lose what the server sends by itself, once it is told to. */
const deafened = (pool: Pool): PostgresPool & { deafen(): void } => {
  const clients: PoolClient[] = []
  return {
    connect: async () => {
      const client = await pool.connect()
      clients.push(client)
      return client
    },
    on: pool.on.bind(pool),
    end: () => pool.end(),
    deafen() {
      for (const client of clients) client.removeAllListeners('notification')
    },
  }
}

it('a connection that is there and says nothing any more is noticed and replaced', async () => {
  const { open } = place()
  const pool = deafened(named('deaf'))
  const { database, runtime } = await open({ pool })
  const { told } = listen(database)
  await until(() => expect(told).toEqual(['look']))
  pool.deafen()
  // It calls itself, and waits for the answer; then it begins anew.
  await until(() => {
    if (!told.includes('lost')) runtime.advance(5000)
    expect(told).toEqual(['look', 'lost'])
  })
  runtime.advance(100)
  await until(() => expect(told).toEqual(['look', 'lost', 'look']))
  await append(database, 'a')
  await until(() => expect(told.at(-1)).toBe(1))
})

/** A pool that notes what each of its connections is asked. */
const noted = (pool: Pool): { readonly pool: PostgresPool; readonly asked: string[][] } => {
  const asked: string[][] = []
  const connect = async () => {
    const client = await pool.connect()
    const own: string[] = []
    asked.push(own)
    const query = client.query.bind(client)
    return Object.assign(client, {
      query: (one: PostgresQuery & string) => {
        const asText: string | PostgresQuery = one
        const text = typeof asText === 'string' ? asText : asText.text
        own.push(text)
        if (text.includes('pg_notify')) throw new Error('NOTIFY is refused here')
        return query(one)
      },
    })
  }
  return { pool: { connect, on: pool.on.bind(pool), end: () => pool.end() }, asked }
}

it('nobody is told inside a transaction, and an append stands though nobody could be told', async () => {
  const { open } = place()
  const { pool, asked } = noted(named('noted'))
  const { database } = await open({ pool, listen: false })
  expect(await append(database, 'a')).toMatchObject([{ outcome: 'appended' }])
  await database.transact(({ events }) => events.append({ stream: 'b', messages: [message('b')] }))
  await database.close()
  const telling = asked.filter((texts) => texts.some((text) => text.includes('pg_notify')))
  expect(telling).toEqual([
    [expect.stringContaining('pg_notify')],
    [expect.stringContaining('pg_notify')],
  ])
  expect(
    await open().then(({ database: other }) => other.read(({ events }) => events.head())),
  ).toBe(2)
})

it('a thousand appends are told in a few calls, the last of them too', async () => {
  const { open } = place()
  const { database: other } = await open()
  const { told } = listen(other)
  await until(() => expect(told).toEqual(['look']))
  const { database, runtime } = await open()
  for (let batch = 0; batch < 20; batch += 1)
    await Promise.all(Array.from({ length: 50 }, (_, n) => append(database, `${batch}-${n}`)))
  await until(() => expect(told).toHaveLength(2))
  runtime.advance(5)
  await until(() => expect(told.at(-1)).toBe(1000))
  expect(told).toHaveLength(3)
})

it.each([1, 2])('an app runs on a pool of %i', async (max) => {
  const { connect, open } = place()
  const { database } = await open()
  const Noted = event('Noted', plain<object>())
  const handled = Promise.withResolvers<string>()
  await using small = await app({ database: connect({ pool: named('small', { max }) }) })
    .handle('ear', Noted, ({ id }) => handled.resolve(id))
    .start()
  await small.append({ stream: 's', events: [Noted({})] })
  await small.whenIdle()
  await handled.promise
  expect(await database.read(({ events }) => events.head())).toBe(1)
})
