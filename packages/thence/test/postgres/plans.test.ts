// Which indexes the server uses on large tables: it is asked for the plan of everything that it runs, what functions do inside too.
import type { Database } from 'thence'
import { Pool } from 'pg'
import { beforeAll, describe, expect, inject, it } from 'vitest'
import { systemRuntime } from '../../src/app/system-runtime.ts'
import { messages } from '../../src/conformance/samples.ts'
import type { Query } from '../../src/ports/events.ts'
import { postgresPlace } from '../kit/postgres.ts'

const events = 200_000
const rows = 100_000

/** Many streams, few types, a tag that all have and one that is rare; retries of one subscription, all of them in one of four partitions. */
const fill = `
INSERT INTO events (position, stream, version, kind, type, schema_version, id, correlation_id, time, tags, data)
  SELECT n, 'order-' || n / 10, n % 10 + 1, 'event', 'T' || n % 50, 1, 'e-' || n, 'c-' || n / 5, n,
    CASE WHEN n % 5 = 1 THEN '["all","rare-' || n || '"]' ELSE '["all"]' END, '{}'
  FROM generate_series(1, ${events}) AS n;
INSERT INTO tags SELECT tag, position FROM events CROSS JOIN LATERAL json_array_elements_text(tags::json) AS of (tag);
INSERT INTO retries SELECT 'sub', n, 'key-' || n, 4 * n, 'e-' || n, 'due', 1, n, '[]', false, 4, 0
  FROM generate_series(1, ${rows}) AS n;
INSERT INTO dead_letters (id, subscription, position, key, type, state, kind, replay, message, error_name, error_message, stack,
    fingerprint, attempts, time, changed)
  SELECT 'l-' || n, 'sub-' || n % 20, n, 'key-' || n, 'T', CASE WHEN n % 100 = 0 THEN 'parked' ELSE 'resolved' END, 'bug', false,
    '{}', 'Error', '', '', 'f-' || n % 7, '[]', n, n FROM generate_series(1, ${rows}) AS n;
INSERT INTO timers SELECT 't-' || n, 'o-' || n % 1000, n, 's', '{}', n, 0, NULL FROM generate_series(1, ${rows}) AS n;
INSERT INTO inbox SELECT 'c', 'i-' || n, 's', 1, n, 1, NULL, n, NULL FROM generate_series(1, ${rows}) AS n;
INSERT INTO documents SELECT 'c-' || n % 10, 'k-' || n, '{}' FROM generate_series(1, ${rows}) AS n;
INSERT INTO checkpoints SELECT 'sub', n, 0, 0, 0, 0, false, 0 FROM generate_series(0, 3) AS n;
INSERT INTO audit SELECT 'a-' || n, n, 'me', 'act-' || n % 9, 't-' || n % 999, '{}', NULL FROM generate_series(1, ${rows}) AS n;
ANALYZE`

const place = postgresPlace()
let database: Database
/** What the server told of each statement since it was asked. */
let plans: string[] = []

const explained = (schema: string): Pool => {
  const settings = {
    session_preload_libraries: 'auto_explain',
    'auto_explain.log_min_duration': '0',
    'auto_explain.log_nested_statements': 'on',
    'auto_explain.log_analyze': 'on',
    'auto_explain.log_timing': 'off',
    client_min_messages: 'log',
    search_path: schema,
  }
  const options = Object.entries(settings).map(([name, value]) => `-c ${name}=${value}`)
  const pool = new Pool({ connectionString: inject('postgres'), options: options.join(' ') })
  pool.on('connect', (client) =>
    client.on('notice', ({ message = '' }) => {
      if (message.includes('plan:')) plans.push(message)
    }),
  )
  return pool
}

beforeAll(async () => {
  database = place.connect({ pool: explained(place.schema), clock: 'runtime', listen: false })
  await database.open(systemRuntime())
  await database.migrate()
  const pool = place.pool()
  await pool.query(fill)
  await pool.end()
  return async () => {
    await database.close()
    await place.dispose()
  }
}, 120_000)

const large = /Seq Scan on (events|tags|retries|dead_letters|timers|inbox|documents|audit)\b/

/** Whether anything is there may be seen at the first row of a table, if nearly every row would do. */
const first =
  /SELECT EXISTS \(SELECT FROM \S+ WHERE subscription = \$1\)[^]*Seq Scan on retries .*\(actual rows=1\b/

/** What read a large table from its beginning to its end, or more rows of it than anybody asked for. */
const wasteful = (): readonly string[] =>
  plans.filter(
    (plan) =>
      (large.test(plan) && !first.test(plan)) ||
      [...plan.matchAll(/Rows Removed by Filter: (\d+)/g)].some(([, n]) => Number(n) > 1000),
  )

const queries: readonly Query[] = [
  [{ types: ['T1'] }],
  [{ types: ['T1', 'T2'] }],
  [{ tags: ['all'] }],
  [{ tags: ['rare-101', 'all'] }],
  [{ types: ['T1'], tags: ['rare-101'] }],
  [{ types: ['T1'] }, { tags: ['rare-101'] }],
]

describe('on large tables the server goes by an index', () => {
  it('for appends of every kind', async () => {
    plans = []
    const expected = ['none', 'exists', 10] as const
    for (const [index, one] of expected.entries())
      await database.append([
        { stream: 'order-77', expected: one, messages: messages(`x-${index}`) },
        { stream: `new-${index}`, messages: messages(`y-${index}`, `z-${index}`) },
      ])
    for (const [index, one] of expected.entries())
      await database.append([
        { stream: 'order-78', expected: one, messages: messages(`w-${index}`) },
      ])
    for (const query of queries)
      await database.append([
        { stream: 'order-9', condition: { query, after: 0 }, messages: messages('e-5') },
        { stream: 'order-9', condition: { query, after: events }, messages: messages('e-6') },
      ])
    expect(plans.some((plan) => /INSERT INTO .*events/.test(plan))).toBe(true)
    expect(wasteful()).toEqual([])
  })

  it('for reading the log', async () => {
    plans = []
    await database.read(async ({ events: log }) => {
      for (const query of queries)
        for (const backwards of [false, true]) {
          await log.readAll({ query, backwards, limit: 20 })
          await log.readAll({ query, after: 100_000, limit: 20, maxBytes: 1000, backwards })
        }
      await log.readAll({ after: 100_000, limit: 50 })
      await log.readAll({ after: 100_000, limit: 50, maxBytes: 1000 })
      await log.readAll({ backwards: true, limit: 50 })
      await log.readStream('order-77', { limit: 5 })
      await log.readStream('order-77', { backwards: true, limit: 5 })
      await log.find({ id: 'e-9' })
      await log.find({ correlationId: 'c-9' })
      await log.streams({ prefix: 'order-1', limit: 20 })
      await log.streams({ after: 'order-5', limit: 20 })
      await log.stream('order-5')
      await log.places({ after: 100_000, limit: 20 })
      await log.head()
    })
    expect(plans.length).toBeGreaterThan(30)
    expect(wasteful()).toEqual([])
  })

  it('for what is due of a share, whatever is due of the others', async () => {
    plans = []
    const told = await database.read(async ({ retries }) => [
      await retries.upcoming('sub', { partition: 1, partitions: 4 }),
      await retries.take('sub', { now: 1e9, limit: 5, share: { partition: 1, partitions: 4 } }),
    ])
    expect(told).toEqual([{ any: true, next: null }, []])
    const share = { partition: 0, partitions: 4 }
    const taken = await database.read(({ retries }) =>
      retries.take('sub', { now: 1e9, limit: 5, share }),
    )
    expect(taken.map(({ position }) => position)).toEqual([1, 2, 3, 4, 5])
    expect(wasteful()).toEqual([])
  })

  it('for retries, letters, timers, the inbox, documents and the audit log', async () => {
    plans = []
    await database.transact(async (transaction) => {
      const {
        retries,
        deadLetters,
        timers,
        inbox,
        documents,
        audit,
        checkpoints,
        events: log,
      } = transaction
      const row = { subscription: 'sub', attempts: 1, history: [], hash: 0, messageId: 'm', due: 1 }
      await retries.put({ ...row, key: 'key-7', position: rows + 7, state: 'queued' })
      await retries.settle({ subscription: 'sub', position: 7, attempts: 1 }, 1)
      await retries.find('sub', 9)
      await retries.waitingAt([1, 2])
      await retries.blocked('sub', ['key-9', 'none'])
      await retries.parkedBefore({ subscription: 'sub', key: 'key-9', position: 99 })
      await deadLetters.openAt([1, 2])
      await deadLetters.underWay('j')
      await deadLetters.list({ state: 'parked', limit: 5 })
      await deadLetters.find('sub-5', 5)
      await timers.due({ limit: 5 })
      await timers.due({ after: { next: 50_000, id: 'a' }, limit: 5 })
      await timers.wait()
      await timers.failed()
      await timers.find('t-9')
      await timers.upcoming({ owner: 'o-9', limit: 5 })
      await timers.hurry('t-9')
      await timers.fail('t-9', { error: 'no', retryIn: null })
      await timers.cancelAll('o-9')
      await inbox.recall('c', 'i-9')
      await inbox.trim(5, 5)
      await documents.get('c-9', 'k-9')
      await documents.list('c-9', { prefix: 'k-1', limit: 5 })
      await documents.put('c-9', 'k-9', '{}')
      await documents.clear('c-9', 5)
      for (const backwards of [false, true]) {
        await audit.list({ backwards, limit: 5 })
        await audit.list({ backwards, target: 't-9', limit: 5 })
      }
      await audit.trim(5, 5)
      await checkpoints.list('sub')
      await log.trim('order-5', { through: 3, limit: 5 })
      await log.tombstone('order-6')
    })
    expect(plans.length).toBeGreaterThan(30)
    expect(wasteful()).toEqual([])
  })
})

it('a log that the server knows nothing of yet is read in its order, not sorted', async () => {
  const fresh = postgresPlace()
  const young = fresh.connect({ pool: explained(fresh.schema), clock: 'runtime', listen: false })
  try {
    await young.open(systemRuntime())
    await young.migrate()
    const pool = fresh.pool()
    await pool.query(`INSERT INTO events (position, stream, version, kind, type, schema_version, id, correlation_id, time, data)
      SELECT n, 's', n, 'event', 'T', 1, 'e-' || n, NULL, n, '{}' FROM generate_series(1, 20000) AS n`)
    await pool.end()
    plans = []
    const page = await young.read(
      ({ events: log }) => log.readAll({ after: 5000, limit: 500, maxBytes: 1_000_000 }),
      { apart: true },
    )
    expect(page.messages).toHaveLength(500)
    expect(plans.some((plan) => plan.includes('Index Scan using events_pkey'))).toBe(true)
    expect(plans.filter((plan) => plan.includes('Sort'))).toEqual([])
  } finally {
    await young.close()
    await fresh.dispose()
  }
})
