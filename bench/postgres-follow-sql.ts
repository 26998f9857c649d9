/**
 * A following projection in plain SQL that catches up with 20,000 events of PostgreSQL: one statement for each event, guarded by a savepoint, view
 * and checkpoint in one transaction per batch.
 */
import { performance } from 'node:perf_hooks'
import type { PoolClient } from 'pg'
import { app, plain, projection, query, tables } from 'thence'
import { postgres, type PostgresClient, type PostgresPool } from 'thence/postgres'
import type { Case, Figure, Row } from './bench.ts'
import { check } from './bench.ts'
import type { Payload } from './load.ts'
import { streamCount, sumOf } from './load.ts'
import { ItemAdded } from './ours.ts'
import { emmettFollow } from './postgres-emmett-feed.ts'
import { rawPages } from './postgres-feed.ts'
import { logOf } from './postgres-log.ts'
import { onDatabase, type Place } from './postgres-server.ts'

const events = 20_000

interface Total {
  readonly streams: number
  readonly count: number
  readonly sum: number
}

const Total = query('Total', { input: plain<null>(), output: plain<Total>() })

const create = (table: string): string =>
  `CREATE TABLE IF NOT EXISTS ${table} (stream text PRIMARY KEY, count bigint NOT NULL, sum bigint NOT NULL)`
const add = (table: string): string =>
  `INSERT INTO ${table} AS c VALUES ($1, 1, $2) ON CONFLICT (stream) DO UPDATE SET count = c.count + 1, sum = c.sum + excluded.sum`
const total = (table: string): string =>
  `SELECT count(*)::integer AS streams, sum(count)::integer AS count, sum(sum)::bigint::float8 AS sum FROM ${table}`

const counted = projection('counted', {
  view: tables({
    create: (table) => [create(table())],
    drop: (table) => [`DROP TABLE IF EXISTS ${table()}`],
  }),
  on: (on) =>
    on(ItemAdded, async ({ stream, data }, view) => {
      await view.run(add(view.table()), stream, data.n)
    }),
  answers: (on) => on(Total, async (_, view) => (await view.first<Total>(total(view.table())))!),
})

const figureOf = ({ streams, count, sum }: Total, expected: number, seconds: number): Figure => {
  check('rows of the view', streams, streamCount)
  check('events counted in the view', count, expected)
  check('their sum', sum, sumOf(expected))
  return { value: expected / seconds }
}

const ours = (name: string, poolOf: (place: Place) => PostgresPool): Case => ({
  name,
  side: 'ours',
  run: async ({ scale }) => {
    const expected = events * scale
    const follow = async (place: Place): Promise<Figure> => {
      const start = performance.now()
      const database = postgres({ pool: poolOf(place) })
      const running = await app({ database }).messages(ItemAdded).use(counted).start()
      await running.whenIdle()
      const seconds = (performance.now() - start) / 1000
      const found = await running.ask(Total(null))
      await running.stop()
      return figureOf(found, expected, seconds)
    }
    return onDatabase(follow, await logOf(expected))
  },
})

/** As a library that wraps `pg` shows it: each statement is asked apart. */
const wrapped = (client: PoolClient): PostgresClient => ({
  query: client.query.bind(client),
  on: client.on.bind(client),
  off: client.off.bind(client),
  release: (destroy) => client.release(destroy),
})
const apart = (place: Place): PostgresPool => {
  const pool = place.pool(10)
  return {
    connect: async () => wrapped(await pool.connect()),
    on: (event: never, listener: never) => pool.on(event, listener),
    end: () => pool.end(),
  }
}

/** The least that can be: a statement for each event without a savepoint, 500 to a transaction, as ours has them. */
const byHand: Case = {
  name: 'raw, a statement for each event, no savepoint',
  side: 'raw',
  run: async ({ scale }) => {
    const expected = events * scale
    const follow = async (place: Place): Promise<Figure> => {
      const pool = place.pool(2)
      const [reads, writes] = [await pool.connect(), await pool.connect()]
      const start = performance.now()
      await writes.query(create('counted'))
      await writes.query('CREATE TABLE progress AS SELECT 0::bigint AS position')
      const pages = { columns: 'position, stream, data', size: 500, ahead: true }
      for await (const rows of rawPages(reads, pages)) {
        await writes.query('BEGIN')
        for (const [, stream, data] of rows)
          await writes.query(add('counted'), [stream, (JSON.parse(data!) as Payload).n])
        await writes.query('UPDATE progress SET position = $1', [rows.at(-1)?.[0]])
        await writes.query('COMMIT')
      }
      const seconds = (performance.now() - start) / 1000
      const { rows } = await writes.query<Total>(total('counted'))
      for (const client of [reads, writes]) client.release()
      await pool.end()
      return figureOf(rows[0]!, expected, seconds)
    }
    return onDatabase(follow, await logOf(expected))
  },
}

const inTurn = 'thence, statement and savepoint asked one after the other'

export const postgresFollowSql: Row = {
  name: 'postgres-follow-sql',
  title:
    'following projection, 20,000 events, a statement of plain SQL for each (a counter per stream)',
  unit: 'events/s',
  durability:
    'PostgreSQL, fsync and synchronous_commit on: view and checkpoint committed together, batch by batch',
  cases: [
    ours('thence', (place) => place.pool(10)),
    ours(inTurn, apart),
    byHand,
    emmettFollow('emmett-postgresql, batch 1000, poll 0', {
      events: 5000,
      pulling: { batchSize: 1000, pullingFrequencyInMs: 0 },
    }),
  ],
  targets: [
    { against: inTurn, atLeast: 1.5 },
    { against: byHand.name, atLeast: 0.6 },
  ],
}
