/**
 * The whole log of PostgreSQL, decoded into objects, by one reader; and what that costs where the log has grown.
 */
import { performance } from 'node:perf_hooks'
import type { PoolClient } from 'pg'
import type { Case, Figure, Row, Setting } from './bench.ts'
import { check } from './bench.ts'
import type { Payload } from './load.ts'
import { sumOf } from './load.ts'
import { emmettFeed } from './postgres-emmett-feed.ts'
import { appAt, headOf, logOf } from './postgres-log.ts'

const events = 500_000

/** What was read is counted and added up. */
export class Tally {
  #count = 0
  #sum = 0
  readonly #start = performance.now()

  add(data: unknown): void {
    this.#count += 1
    this.#sum += (data as Payload).n
  }

  /** Events per second, if they were 0 … count − 1. */
  figure(count: number): Figure {
    const seconds = (performance.now() - this.#start) / 1000
    check('events read', this.#count, count)
    check('their sum', this.#sum, sumOf(count))
    return { value: count / seconds }
  }
}

const ours = (name: string, count: number): Case => ({
  name,
  side: 'ours',
  async run({ scale }) {
    const running = await appAt(await logOf(count * scale)).start()
    const tally = new Tally()
    for await (const { data } of running.log()) tally.add(data)
    const figure = tally.figure(count * scale)
    await running.stop()
    return figure
  },
})

const part = 10_000

/** Of a growing log only what comes last. */
const lastPart = (name: string, count: number): Case => ({
  name,
  side: 'ours',
  async run({ scale }) {
    const place = await logOf(count * scale)
    const last = part * scale
    const after = (await headOf(place)) - last
    const running = await appAt(place).start()
    let seen = 0
    const rounds = 20
    const start = performance.now()
    for (let round = 0; round < rounds; round += 1)
      for await (const { position } of running.log({ after })) seen += position > after ? 1 : 0
    const seconds = (performance.now() - start) / 1000
    await running.stop()
    check('events read', seen, last * rounds)
    return { value: seen / seconds }
  },
})

type Cells = readonly (string | null)[]

const asText = { getTypeParser: () => (value: string) => value }

export interface RawPages {
  readonly columns: string
  readonly size: number
  /** Whether the next page is asked for before this one is used. */
  readonly ahead: boolean
}

/** Pages by position, a statement with a name, rows as arrays of texts. The first column is the position. */
export async function* rawPages(
  client: PoolClient,
  { columns, size, ahead }: RawPages,
): AsyncGenerator<readonly Cells[]> {
  const text = `SELECT ${columns} FROM thence.events WHERE position > $1 ORDER BY position LIMIT ${size}`
  const page = async (after: string): Promise<Cells[]> => {
    const asked = { name: 'page', text, values: [after], rowMode: 'array', types: asText } as const
    return (await client.query<(string | null)[]>(asked)).rows
  }
  let next = page('0')
  for (;;) {
    const rows = await next
    const last = rows.at(-1)?.[0]
    if (last === undefined || last === null) return
    if (ahead) next = page(last)
    yield rows
    if (!ahead) next = page(last)
  }
}

const some = 'position, stream, version, type, data'
export const best = 'raw, five columns, read ahead'

const raw = (name: string, pages: RawPages, events: number): Case => ({
  name,
  side: 'raw',
  async run({ scale }: Setting) {
    const pool = (await logOf(events * scale)).pool(1)
    const client = await pool.connect()
    const at = pages.columns.split(', ').indexOf('data')
    const tally = new Tally()
    for await (const rows of rawPages(client, pages))
      for (const row of rows) tally.add(JSON.parse(row[at] as string))
    const figure = tally.figure(events * scale)
    client.release()
    await pool.end()
    return figure
  },
})

const all =
  'position, version, kind, type, schema_version, id, correlation_id, causation_id, time, tags, metadata, data, stream'
/** The fastest that was found: it does without most of what an event has. */
export const rawFeed = (name: string, events: number): Case =>
  raw(name, { columns: some, size: 2000, ahead: true }, events)

const durability = 'reads; the tables are in memory'
const unit = 'events/s'

export const postgresFeeds: readonly Row[] = [
  {
    name: 'postgres-feed',
    title: 'the whole log, 500,000 events, decoded',
    unit,
    durability,
    cases: [
      ours('thence', events),
      rawFeed(best, events),
      raw('raw, all columns, read ahead', { columns: all, size: 2000, ahead: true }, events),
      raw('raw, pages of 1000', { columns: all, size: 1000, ahead: false }, events),
      emmettFeed('emmett-postgresql, batch 1000, poll 0', {
        events: 10_000,
        pulling: { batchSize: 1000, pullingFrequencyInMs: 0 },
      }),
    ],
    targets: [{ against: best, atLeast: 0.8 }],
  },
  {
    name: 'postgres-feed-grown',
    title: 'the last 10,000 events of a log, again and again',
    unit,
    durability,
    cases: [
      lastPart('of 10 million', 10_000_000),
      lastPart('of a million', 1_000_000),
      lastPart('of 10,000', part),
    ],
    targets: [
      { against: 'of 10,000', atLeast: 0.8 },
      { against: 'of a million', atLeast: 0.8 },
    ],
    rounds: 5,
  },
]
