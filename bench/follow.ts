/**
 * A following projection that catches up with 100,000 events: a counter per stream, kept as documents in SQLite,
 * view and checkpoint in one transaction per batch.
 */
import { performance } from 'node:perf_hooks'
import { type AppBuilder, documents, plain, projection, query } from 'thence'
import type { Case, Figure, Row, Setting } from './bench.ts'
import { check } from './bench.ts'
import { emmettFollow } from './emmett-cases.ts'
import { filledOurs, prepared } from './filled.ts'
import type { Payload } from './load.ts'
import { payload, streamCount, streamOf, sumOf, versionBefore } from './load.ts'
import { appOn, ItemAdded } from './ours.ts'
import { RawStore } from './raw.ts'

export const events = 100_000

interface Counter {
  readonly count: number
  readonly sum: number
}

const Totals = query('Totals', {
  input: plain<null>(),
  output: plain<Counter & { readonly streams: number }>(),
})

const counters = projection('counters', {
  view: documents<Counter>(),
  on: (on) =>
    on(ItemAdded, async ({ stream, data }, view) =>
      view.update(stream, (before) => ({
        count: (before?.count ?? 0) + 1,
        sum: (before?.sum ?? 0) + data.n,
      })),
    ),
  answers: (on) =>
    on(Totals, async (_, view) => {
      const total = { streams: 0, count: 0, sum: 0 }
      for await (const { document } of view.list()) {
        total.streams += 1
        total.count += document.count
        total.sum += document.sum
      }
      return total
    }),
})

export const amount = ({ scale }: Setting): number =>
  Math.max(streamCount, Math.round(events * scale))

/** From the start of an app whose log has `count` events to its rest, in events per second. */
export async function catchUp(builder: AppBuilder, count: number): Promise<Figure> {
  const start = performance.now()
  const running = await builder.use(counters).start()
  await running.whenIdle()
  const seconds = (performance.now() - start) / 1000
  const total = await running.ask(Totals(null))
  await running.stop()
  check('documents in the view', total.streams, streamCount)
  check('events counted in the view', total.count, count)
  check('their sum', total.sum, sumOf(count))
  return { value: count / seconds }
}

const ours: Case = {
  name: 'thence',
  side: 'ours',
  async run(setting) {
    const count = amount(setting)
    return catchUp(appOn(await filledOurs(setting, count)), count)
  },
}

export const fillRaw = async (path: string, count: number): Promise<void> => {
  const store = new RawStore(path)
  for (let n = 0; n < count; n += 1000)
    store.append(
      Array.from({ length: Math.min(1000, count - n) }, (_, index) => ({
        stream: streamOf(n + index),
        expected: versionBefore(n + index),
        type: ItemAdded.type,
        data: payload(n + index),
      })),
    )
  store.close()
}

/** Reads the whole log in pages of 1000; `batched` is given each page inside its transaction. */
const readAll = (store: RawStore, each: (row: { stream: string }, data: Payload) => void): void => {
  for (let after = 0; ;) {
    const page = store.page(after, 1000)
    for (const row of page) each(row, JSON.parse(row.data) as Payload)
    if (page.length < 1000) return
    after = page.at(-1)!.position
  }
}

const rawRead: Case = {
  name: 'raw, read all only',
  side: 'raw',
  async run(setting) {
    const count = amount(setting)
    const path = await prepared(setting, `raw-${count}`, (file) => fillRaw(file, count))
    const start = performance.now()
    const store = new RawStore(path)
    let seen = 0
    let sum = 0
    readAll(store, (_, { n }) => {
      seen += 1
      sum += n
    })
    const seconds = (performance.now() - start) / 1000
    store.close()
    check('events read', seen, count)
    check('their sum', sum, sumOf(count))
    return { value: count / seconds }
  },
}

const viewTables = `
CREATE TABLE counters (stream TEXT PRIMARY KEY, document TEXT NOT NULL);
CREATE TABLE checkpoint (position INTEGER NOT NULL);
INSERT INTO checkpoint VALUES (0)`

/** The same view by hand: documents held per page, written with the checkpoint in one transaction. */
const followByHand = (store: RawStore): void => {
  const { database } = store
  database.exec(viewTables)
  const get = database.prepare('SELECT document FROM counters WHERE stream = ?')
  const put = database.prepare('INSERT OR REPLACE INTO counters VALUES (?, ?)')
  const move = database.prepare('UPDATE checkpoint SET position = ? WHERE position = ?')
  for (let after = 0; ;) {
    const page = store.page(after, 1000)
    if (page.length === 0) return
    const held = new Map<string, Counter>()
    database.exec('BEGIN IMMEDIATE')
    for (const { stream, data } of page) {
      const { n } = JSON.parse(data) as Payload
      const text = get.get(stream)?.['document'] as string | undefined
      const known =
        held.get(stream) ?? (text === undefined ? undefined : (JSON.parse(text) as Counter))
      held.set(stream, { count: (known?.count ?? 0) + 1, sum: (known?.sum ?? 0) + n })
    }
    for (const [stream, counter] of held) put.run(stream, JSON.stringify(counter))
    const last = page.at(-1)!.position
    check('checkpoint moved', Number(move.run(last, after).changes), 1)
    database.exec('COMMIT')
    after = last
  }
}

const rawFollow: Case = {
  name: 'raw, the same view by hand',
  side: 'raw',
  async run(setting) {
    const count = amount(setting)
    const path = await prepared(setting, `raw-${count}`, (file) => fillRaw(file, count))
    const start = performance.now()
    const store = new RawStore(path)
    followByHand(store)
    const seconds = (performance.now() - start) / 1000
    const total = store.database
      .prepare(
        "SELECT sum(document ->> '$.count') AS count, sum(document ->> '$.sum') AS sum FROM counters",
      )
      .get()
    store.close()
    check('events counted in the view', total?.['count'], count)
    check('their sum', total?.['sum'], sumOf(count))
    return { value: count / seconds }
  },
}

export const follow: Row = {
  name: 'follow',
  title: 'following projection, 100,000 events, view in SQLite (a counter per stream, documents)',
  unit: 'events/s',
  durability: 'WAL, synchronous=FULL: view and checkpoint committed together, batch by batch',
  cases: [
    ours,
    rawRead,
    rawFollow,
    emmettFollow('emmett-sqlite, batch 1000, poll 0', {
      events: 10_000,
      pulling: { batchSize: 1000, pullingFrequencyInMs: 0 },
    }),
    emmettFollow('emmett-sqlite, default', { events: 5000 }),
  ],
  targets: [
    { against: rawRead.name, atLeast: 0.2 },
    { against: 'emmett-sqlite, batch 1000, poll 0', atLeast: 30 },
  ],
}
