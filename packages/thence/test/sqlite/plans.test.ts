import { DatabaseSync } from 'node:sqlite'
import { expect, test } from 'vitest'
import type { Query } from '../../src/ports/events.ts'
import { message, opened, storePath } from './kit.ts'

/** A store that notes every statement it compiles and how often it was run. */
const watched = async () => {
  const connection = new DatabaseSync(storePath())
  const runs = new Map<string, number>()
  const database = await opened({
    exec: (sql) => connection.exec(sql),
    close: () => connection.close(),
    prepare: (sql) => {
      const statement = connection.prepare(sql)
      statement.setReturnArrays(true)
      const count = (): void => void runs.set(sql, (runs.get(sql) ?? 0) + 1)
      return {
        run: (...parameters) => (count(), statement.run(...parameters)),
        get: (...parameters) => (count(), statement.get(...parameters)),
        all: (...parameters) => (count(), statement.all(...parameters)),
        iterate: (...parameters) => (count(), statement.iterate(...parameters)),
      }
    },
  })
  await database.migrate()
  const planOf = (sql: string): string[] =>
    connection
      .prepare(`EXPLAIN QUERY PLAN ${sql}`)
      .all()
      .map((row) => String(row['detail']))
  return { database, runs, planOf }
}

const queries: readonly Query[] = [
  [{ types: ['A'] }],
  [{ types: ['A', 'B'] }],
  [{ tags: ['all'] }],
  [{ tags: ['all', 'rare'] }],
  [{ types: ['A'], tags: ['all', 'rare'] }],
  [{ types: ['A'] }, { tags: ['rare'] }],
]

test('no statement scans the log, its tags, the documents, the timers, the audit or the jobs', async () => {
  const { database, runs, planOf } = await watched()
  await database.append([{ stream: 's', messages: [message({ tags: ['all'] })] }])
  runs.clear()
  await database.transact(async (transaction) => {
    const { events, documents, timers, retries, inbox, deadLetters, audit, jobs } = transaction
    for (const query of queries) {
      await events.readAll({ query, limit: 2 })
      await events.readAll({ query, limit: 2, maxBytes: 100 })
      await events.readAll({ query, backwards: true, limit: 2 })
      await events.append({ stream: 's', condition: { query, after: 0 }, messages: [message()] })
    }
    await events.readAll({ limit: 2 })
    await events.readAll({ backwards: true, limit: 2 })
    await events.readStream('s', { limit: 2 })
    await events.readStream('s', { backwards: true, limit: 2 })
    await events.find({ id: 'x' })
    await events.find({ correlationId: 'x' })
    await events.streams({ prefix: 's', limit: 2 })
    await events.stream('s')
    await events.places({ after: 0, limit: 2 })
    await events.truncated(['A'])
    await retries.waitingAt([1, 2])
    await deadLetters.openAt([1, 2])
    await events.tombstone('s')
    await events.trim('s', { through: 1, limit: 2 })
    await events.head()
    await documents.list('c', { prefix: 'a', limit: 2 })
    await documents.list('c', { limit: 2 })
    await documents.clear('c', 2)
    await timers.due({ limit: 5 })
    await timers.due({ after: { next: 5, id: 'a' }, limit: 5 })
    await timers.wait()
    await timers.failed()
    await timers.find('a')
    await timers.upcoming({ limit: 5 })
    await timers.upcoming({ owner: 'o', after: { next: 5, id: 'a' }, limit: 5 })
    await timers.hurry('a')
    await timers.fail('a', { error: 'no', retryIn: null })
    await timers.cancelAll('o')
    await retries.take('s', { now: 5, limit: 5 })
    await retries.blocked('s', ['a'])
    await retries.parkedBefore({ subscription: 's', key: 'a', position: 5 })
    await deadLetters.underWay('j')
    await retries.settle({ subscription: 's', position: 1, attempts: 0 }, 1)
    await inbox.recall('c', 'x')
    await inbox.trim(5, 5)
    await deadLetters.list({ state: 'parked', limit: 5 })
    for (const backwards of [false, true]) {
      await audit.list({ backwards, limit: 5 })
      await audit.list({ backwards, target: 'a', action: 'b', before: 'c', limit: 5 })
      await audit.list({ backwards, action: 'b', after: 'c', limit: 5 })
    }
    await audit.trim(5, 5)
    await jobs.list({ limit: 5 })
    await jobs.list({ state: 'running', kind: 'k', before: 'x', limit: 5 })
    await jobs.trim(5, 5)
  })
  const tables = [...runs.keys()].filter((sql) => sql.includes('thence_'))
  expect(tables.length).toBeGreaterThan(25)
  const scans = tables.flatMap((sql) =>
    planOf(sql)
      .filter((step) => /^SCAN thence_(?!head|measured)|TEMP B-TREE/.test(step))
      .map((step) => `${step} in ${sql}`),
  )
  expect(scans).toEqual([])
})

test('what is due of a partition is found by an index, whatever is due of the others', async () => {
  const { database, runs, planOf } = await watched()
  const row = { subscription: 's', attempts: 1, history: [], hash: 0 }
  const divide = (partitions: number): Promise<void> =>
    database.transact(({ checkpoints }) =>
      checkpoints.divide('s', Array<number>(partitions).fill(0)),
    )
  const put = (position: number, key: string, state: 'due' | 'queued'): Promise<void> =>
    database.transact(({ retries }) =>
      retries.put({ ...row, key, position, messageId: `m${position}`, state, due: 5 }),
    )
  const look = async (partitions: number): Promise<void> => {
    runs.clear()
    const share = { partition: 1, partitions }
    const told = await database.read(async ({ retries }) => [
      await retries.upcoming('s', share),
      await retries.take('s', { now: 9, limit: 5, share }),
    ])
    expect(told).toEqual([{ any: true, next: null }, []])
    const read = [...runs.keys()].filter((sql) => sql.includes('FROM thence_retries'))
    expect(read.length).toBeGreaterThan(2)
    expect(read.filter((sql) => sql.includes('hash %'))).toEqual([])
    for (const sql of read) expect(planOf(sql).join()).not.toMatch(/SCAN thence|TEMP B-TREE/)
  }
  await divide(4)
  await put(1, 'a', 'due')
  await put(2, 'a', 'queued')
  await put(3, 'b', 'due')
  await look(4)
  await divide(2)
  await look(2)
  await database.transact(({ retries }) =>
    retries.settle({ subscription: 's', position: 1, attempts: 1 }, 5),
  )
  await look(2)
})

test('the rarest tag or type sets the cost of a query, in both directions and in conditions', async () => {
  const { database, runs } = await watched()
  const requests = Array.from({ length: 3000 }, (_, index) => ({
    stream: 's',
    messages: [
      message({
        type: index === 1500 ? 'Rare' : 'Common',
        tags: index === 500 || index === 2500 ? ['all', 'rare'] : ['all'],
      }),
    ],
  }))
  await database.append(requests)
  const steps = (): number => [...runs.values()].reduce((sum, count) => sum + count, 0)
  const cheap: readonly [Query, readonly number[]][] = [
    [[{ types: ['Rare'] }], [1501]],
    [[{ tags: ['all', 'rare'] }], [501, 2501]],
    [[{ types: ['Common'], tags: ['rare'] }], [501, 2501]],
    [[{ types: ['Rare'], tags: ['all'] }], [1501]],
    [[{ types: ['Rare'], tags: ['all', 'rare'] }], []],
    [
      [{ types: ['Rare'] }, { tags: ['rare'] }],
      [501, 1501, 2501],
    ],
  ]
  for (const [query, expected] of cheap)
    for (const backwards of [false, true]) {
      runs.clear()
      const { messages } = await database.read(({ events }) =>
        events.readAll({ query, backwards, limit: 10 }),
      )
      const found = messages.map(({ position }) => position)
      expect(backwards ? found.reverse() : found).toEqual(expected)
      expect(steps()).toBeLessThan(40)
    }
})

test('a page bounded by bytes loads no more than that and one message', async () => {
  const connection = new DatabaseSync(storePath())
  let loaded = 0
  const counted = <T>(rows: T): T => {
    loaded += JSON.stringify(rows ?? null).length
    return rows
  }
  const database = await opened({
    exec: (sql) => connection.exec(sql),
    close: () => connection.close(),
    prepare: (sql) => {
      const statement = connection.prepare(sql)
      statement.setReturnArrays(true)
      return {
        run: (...parameters) => statement.run(...parameters),
        get: (...parameters) => counted(statement.get(...parameters)),
        all: (...parameters) => counted(statement.all(...parameters)),
        *iterate(...parameters) {
          for (const row of statement.iterate(...parameters)) yield counted(row)
        },
      }
    },
  })
  await database.migrate()
  const data = JSON.stringify('x'.repeat(10_000))
  const messages = Array.from({ length: 300 }, () => message({ type: 'A', tags: ['all'], data }))
  await database.append([{ stream: 's', messages }])
  for (const query of [[], ...queries.slice(0, 3)])
    for (const backwards of [false, true]) {
      loaded = 0
      const page = await database.read(({ events }) =>
        events.readAll({ query, backwards, limit: 250, maxBytes: 50_000 }),
      )
      expect(page).toMatchObject({ messages: { length: 4 }, more: true })
      expect(loaded).toBeLessThan(60_000)
    }
})
