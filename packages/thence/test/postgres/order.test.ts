// Positions become visible in their order and without gaps, whoever holds a transaction open meanwhile; and nothing is left behind in
// a session, as a pooler in transaction mode demands.
import type { Database } from 'thence'
import { virtualRuntime } from 'thence/testing'
import { expect, it, onTestFinished } from 'vitest'
import { waitedFor } from '../kit/open-append.ts'
import { type PostgresPlace, postgresPlace } from '../kit/postgres.ts'

const note = (id: string) => ({
  id,
  kind: 'event' as const,
  type: 'Noted',
  schemaVersion: 1,
  data: '{}',
  correlationId: null,
  causationId: null,
  metadata: null,
  tags: ['a tag'],
  time: 1,
})

const place = (): PostgresPlace => {
  const one = postgresPlace()
  onTestFinished(() => one.dispose())
  return one
}

const open = async (at: PostgresPlace): Promise<Database> => {
  const database = at.connect()
  onTestFinished(() => database.close())
  await database.open(virtualRuntime())
  await database.migrate()
  return database
}

const positions = async (database: Database): Promise<readonly number[]> =>
  (await database.read(({ events }) => events.readAll({ limit: 1000 }))).messages.map(
    ({ position }) => position,
  )

const second = { stream: 'quick', messages: [note('second')] }
const third = { stream: 'quick', messages: [note('third')] }

// One message goes through a function of its own.
it.each([
  ['an append', [second]],
  ['a batch', [second, third]],
])(
  '%s of another process waits for a transaction that has appended and is not committed',
  async (_, batch) => {
    const at = place()
    const [slow, quick] = [await open(at), await open(at)]
    const appended = Promise.withResolvers<void>()
    const end = Promise.withResolvers<void>()
    const holding = slow.transact(async ({ events }) => {
      await events.append({ stream: 'slow', messages: [note('first')] })
      appended.resolve()
      await end.promise
    })
    await appended.promise
    let done = false
    const waiting = quick.append(batch).finally(() => (done = true))
    // Until the server says that it waits.
    const pool = at.pool()
    onTestFinished(() => pool.end())
    const waits = async (): Promise<boolean> => {
      const { rows } = await pool.query(
        "SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE '%.append%'",
      )
      return rows.length > 0
    }
    while (!done && !(await waits())) await Promise.resolve()
    expect(done).toBe(false)
    expect(await positions(quick)).toEqual([])
    end.resolve()
    await holding
    const after = batch.map((__, index) => ({ outcome: 'appended', position: index + 2 }))
    expect(await waiting).toMatchObject(after)
    expect(await positions(quick)).toEqual([1, ...after.map(({ position }) => position)])
  },
)

it('a transaction that does not append holds up nobody who does', async () => {
  const at = place()
  const [slow, quick] = [await open(at), await open(at)]
  const written = Promise.withResolvers<void>()
  const end = Promise.withResolvers<void>()
  const holding = slow.transact(async ({ documents, events }) => {
    await documents.put('c', 'k', '{}')
    written.resolve()
    await end.promise
    return events.append({ stream: 'slow', messages: [note('late')] })
  })
  await written.promise
  expect(await quick.append([{ stream: 'quick', messages: [note('soon')] }])).toMatchObject([
    { position: 1 },
  ])
  end.resolve()
  expect(await holding).toMatchObject({ position: 2 })
})

it('refused requests of a batch burn no position and do not hold up the others', async () => {
  const database = await open(place())
  const verdicts = await database.append([
    { stream: 's', expected: 'none', messages: [note('a')] },
    { stream: 's', expected: 'none', messages: [note('b')] },
    { stream: 's', expected: 'none', messages: [note('a')] },
    { stream: 's', condition: { query: [{ tags: ['a tag'] }], after: 0 }, messages: [note('c')] },
    { stream: 't', messages: [note('a')] },
    { stream: 't', expected: 0, messages: [note('d')] },
  ])
  expect(verdicts.map(({ outcome }) => outcome)).toEqual([
    'appended',
    'conflict',
    'duplicate',
    'condition-failed',
    'id-reused',
    'appended',
  ])
  expect(await positions(database)).toEqual([1, 2])
})

it('a batch that waits for who remembers the same id is judged by that, and the others of it are appended', async () => {
  const at = place()
  const [slow, quick] = [await open(at), await open(at)]
  const once = { consumer: 'c', id: 'x' }
  const remembered = Promise.withResolvers<void>()
  const end = Promise.withResolvers<void>()
  const holding = slow.transact(async ({ inbox }) => {
    await inbox.remember('c', 'x', { stream: 's', version: 0, position: 0, count: 0 })
    remembered.resolve()
    await end.promise
  })
  await remembered.promise
  const batch = quick.append([second, { stream: 's', messages: [note('third')], once }])
  batch.catch(() => undefined)
  expect(await Promise.race([batch, waitedFor(at)])).toBe('waits')
  end.resolve()
  await holding
  expect(await batch).toMatchObject([{ outcome: 'appended' }, { outcome: 'duplicate' }])
  expect(await positions(quick)).toEqual([1])
})

it('appends are not judged by what was there before the lock', async () => {
  const at = place()
  await open(at)
  const pool = at.pool()
  onTestFinished(() => pool.end())
  const client = await pool.connect()
  for (const call of [
    `append(${'NULL, '.repeat(36)}NULL)`,
    `append_one(${'NULL, '.repeat(13)}NULL)`,
  ]) {
    await client.query('BEGIN ISOLATION LEVEL REPEATABLE READ')
    await expect(client.query(`SELECT ${call}`)).rejects.toThrow(/read committed/)
    await client.query('ROLLBACK')
  }
  client.release(true)
})

it('a transaction leaves nothing behind in its session', async () => {
  const at = place()
  const pool = at.pool()
  const client = await pool.connect()
  const { rows: before } = await client.query(settings)
  // A pool of one connection: whatever the store leaves, the next one finds.
  const one = {
    connect: async () => overlay(client),
    on: () => undefined,
    end: async () => undefined,
  }
  const database = at.connect({ pool: one })
  await database.open(virtualRuntime())
  await database.migrate()
  await database.append([{ stream: 's', messages: [note('a')] }])
  await database.transact(async ({ events, sql }) => {
    await events.append({ stream: 's', messages: [note('b')] })
    await sql.all('SELECT 1')
  })
  await database.read(({ events }) => events.head())
  await database.close()
  const { rows: after } = await client.query(settings)
  expect(after).toEqual(before)
  const { rows: left } = await client.query(
    "SELECT 'lock' FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid() " +
      'UNION ALL SELECT name FROM pg_prepared_statements UNION ALL SELECT name FROM pg_cursors',
  )
  expect(left).toEqual([])
  client.release()
  await pool.end()
})

/** Those of PL/pgSQL appear with its first function. */
const settings =
  "SELECT name, setting FROM pg_settings WHERE name NOT LIKE 'plpgsql.%' ORDER BY name"

/** The same connection, which its borrower cannot give back. */
const overlay = <T extends object>(client: T): T & { release(): void } =>
  new Proxy(client, {
    get: (target, name) => {
      if (name === 'release') return () => undefined
      const member: unknown = Reflect.get(target, name)
      return typeof member === 'function' ? member.bind(target) : member
    },
  }) as T & { release(): void }
