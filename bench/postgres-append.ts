/**
 * Appending on PostgreSQL: many callers and one, several events at once, under a condition, and in a log that has grown.
 */
import { app, event, plain, type App } from 'thence'
import { postgres } from 'thence/postgres'
import type { Case, Figure, Row, Setting } from './bench.ts'
import { check } from './bench.ts'
import type { Payload } from './load.ts'
import { keepCalling, payload, rate, streamOf, versionBefore, warmUp } from './load.ts'
import { appendOne, ItemAdded } from './ours.ts'
import { emmettPostgres } from './postgres-emmett.ts'
import { headOf, logOf } from './postgres-log.ts'
import { rawPostgres } from './postgres-raw.ts'
import { checkEvents, emptyDatabase, onDatabase, type Place } from './postgres-server.ts'

const ItemTagged = event('ItemTagged', plain<Payload>(), {
  tags: ({ n }) => [`cart:${n % 1000}`, `item:${n % 997}`],
})

const startOn = (place: Place): Promise<App<never, never>> =>
  app({ database: postgres({ pool: place.pool(10) }) })
    .messages(ItemAdded, ItemTagged)
    .start()

interface Load {
  readonly callers: number
  readonly per: number
}

/** Appends until the time is over; returns how many appends there were and their rate. */
const appendAll = async (
  running: Pick<App, 'append'>,
  { callers, per }: Load,
  { seconds }: Setting,
): Promise<{ readonly value: number; readonly count: number }> => {
  let next = 0
  const once = async (): Promise<void> => {
    const n = next++
    await running.append({
      stream: streamOf(n),
      expected: versionBefore(n) * per,
      events: Array.from({ length: per }, (_, index) => ItemAdded(payload(n * per + index))),
    })
  }
  await keepCalling(callers, seconds * warmUp, once)
  const done = await keepCalling(callers, seconds, once)
  return { value: rate(done) * per, count: next * per }
}

const ours = (load: Load): Case => ({
  name: 'thence',
  side: 'ours',
  run: (setting) =>
    onDatabase(async (place) => {
      const running = await startOn(place)
      const { value, count } = await appendAll(running, load, setting)
      await running.stop()
      await checkEvents(place, 'thence.events', count)
      return { value }
    }),
})

/** Written by the server itself: what is measured is appending to a long log, not making it. */
const fill = (count: number): string => `
INSERT INTO thence.events (position, stream, version, kind, type, schema_version, id, time, tags, data)
  SELECT n + 1, 'old-' || n % 1000, n / 1000 + 1, 'event', 'ItemTagged', 1, 'old-' || lpad(n::text, 9, '0'), 1700000000000 + n,
    '["cart:' || n % 1000 || '","item:' || n % 997 || '"]', '{"n":' || n || ',"note":"' || repeat('n', 190) || '"}'
  FROM generate_series(0, ${count - 1}) AS n;
INSERT INTO thence.tags (tag, position) SELECT 'cart:' || n % 1000, n + 1 FROM generate_series(0, ${count - 1}) AS n;
INSERT INTO thence.tags (tag, position) SELECT 'item:' || n % 997, n + 1 FROM generate_series(0, ${count - 1}) AS n;
ANALYZE thence.events, thence.tags`

const filled = new Map<number, Promise<Place>>()

const makeFilled = async (count: number): Promise<Place> => {
  const place = await emptyDatabase()
  const running = await startOn(place)
  await running.stop()
  await place.query(fill(count))
  await place.query('CHECKPOINT')
  return place
}

/** A long log is made once for a run; each case appends to what the last one left. */
const onFilled = async (
  count: number,
  work: (place: Place) => Promise<Figure>,
): Promise<Figure> => {
  const made = filled.get(count) ?? makeFilled(count)
  filled.set(count, made)
  return work(await made)
}

const million = 1_000_000

/** Each decision has seen all that was there when its append begins, and is about one pair of tags. */
const underCondition = (name: string, conditional: boolean): Case => ({
  name,
  side: 'ours',
  run: ({ seconds, scale }) =>
    onFilled(million * scale, async (place) => {
      const running = await startOn(place)
      const before = await headOf(place)
      let head = before
      let next = 0
      const once = async (): Promise<void> => {
        const n = next++
        const query = [{ tags: [`cart:${n % 1000}`, `item:${n % 997}`] }]
        const { position } = await running.append({
          stream: `${name}-${before}-${streamOf(n)}`,
          events: ItemTagged(payload(n)),
          ...(conditional ? { condition: { query, after: head } } : {}),
        })
        head = Math.max(head, position)
      }
      await keepCalling(64, seconds * warmUp, once)
      const done = await keepCalling(64, seconds, once)
      await running.stop()
      check('events that were added', (await headOf(place)) - before, next)
      return { value: rate(done) }
    }),
})

/** Goes on with a log; what was in memory and on the disk is in order before. */
const goOn = async (place: Place, { seconds }: Setting): Promise<Figure> => {
  const before = await headOf(place)
  const running = await startOn(place)
  await place.query('CHECKPOINT')
  let next = before
  const once = (): Promise<void> => appendOne(running, next++)
  await keepCalling(256, seconds * warmUp, once)
  const done = await keepCalling(256, seconds, once)
  await running.stop()
  check('the last position', await headOf(place), next)
  return { value: rate(done) }
}

/** A short log is copied, so that it stays short; a long one is hardly longer afterwards. */
const grown = (name: string, count: number): Case => ({
  name,
  side: 'ours',
  async run(setting) {
    const log = await logOf(count * setting.scale)
    return count < million ? onDatabase((place) => goOn(place, setting), log) : goOn(log, setting)
  },
})

const durability = 'PostgreSQL, fsync and synchronous_commit on: flushed before the caller goes on'
const unit = 'events/s'
const group = 'raw, checked group commit of'
const callers = [1, 8, 32, 64, 256]

export const postgresAppends: readonly Row[] = [
  {
    name: 'postgres-append-256',
    title: 'append one event, version-checked, 256 in flight',
    unit,
    durability,
    cases: [
      ours({ callers: 256, per: 1 }),
      rawPostgres(`${group} 256`, { streams: 256, per: 1, indexes: false }),
      rawPostgres('raw, the same with our indexes', { streams: 256, per: 1, indexes: true }),
      emmettPostgres('emmett-postgresql, its best', { callers, per: 1 }),
    ],
    targets: [
      { against: `${group} 256`, atLeast: 0.8 },
      { against: 'emmett-postgresql, its best', atLeast: 15 },
    ],
  },
  {
    name: 'postgres-append-1',
    title: 'append one event, version-checked, one caller',
    unit,
    durability,
    cases: [
      ours({ callers: 1, per: 1 }),
      rawPostgres('raw, one checked statement', { streams: 1, per: 1, indexes: false, alone: 1 }),
      rawPostgres('raw, the same, prepared', {
        streams: 1,
        per: 1,
        indexes: false,
        alone: 1,
        prepared: true,
      }),
      emmettPostgres('emmett-postgresql', { callers: [1], per: 1 }),
    ],
    targets: [
      { against: 'raw, one checked statement', atLeast: 0.9 },
      { against: 'emmett-postgresql', atLeast: 2 },
    ],
  },
  {
    name: 'postgres-append-10x8',
    title: 'ten events per append, version-checked, 8 callers',
    unit,
    durability,
    cases: [
      ours({ callers: 8, per: 10 }),
      rawPostgres(`${group} 8`, { streams: 8, per: 10, indexes: false }),
      rawPostgres('raw, the same with our indexes', { streams: 8, per: 10, indexes: true }),
      rawPostgres('raw, 8 connections, no order', {
        streams: 1,
        per: 10,
        indexes: false,
        alone: 8,
      }),
      emmettPostgres('emmett-postgresql, its best', { callers: [8, 32], per: 10 }),
    ],
    targets: [
      { against: `${group} 8`, atLeast: 0.8 },
      { against: 'emmett-postgresql, its best', atLeast: 2 },
    ],
  },
  {
    name: 'postgres-append-condition',
    title: 'append one event under a condition over two tags, 64 callers, a million stored',
    unit,
    durability,
    cases: [underCondition('with the condition', true), underCondition('without it', false)],
    targets: [{ against: 'without it', atLeast: 0.6 }],
  },
  {
    name: 'postgres-append-grown',
    title: 'append one event, version-checked, 256 in flight, to a log that has grown',
    unit,
    durability,
    cases: [
      grown('10 million stored', 10 * million),
      grown('a million stored', million),
      grown('10,000 stored', million / 100),
    ],
    targets: [
      { against: '10,000 stored', atLeast: 0.8 },
      { against: 'a million stored', atLeast: 0.8 },
    ],
  },
]
