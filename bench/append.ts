/**
 * Appending one event, version-checked, each append committed before its caller goes on: 64 callers, and one.
 */
import { appendOne, checkLog, fileOf, ItemAdded, startApp } from './ours.ts'
import type { Case, Row, Setting } from './bench.ts'
import { check } from './bench.ts'
import { emmettAppend } from './emmett-cases.ts'
import {
  keepCalling,
  keepDoing,
  payload,
  rate,
  streamOf,
  sumOf,
  versionBefore,
  warmUp,
} from './load.ts'
import { RawStore } from './raw.ts'

const ours = (callers: number): Case => ({
  name: 'thence',
  side: 'ours',
  async run(setting) {
    await using running = await startApp(fileOf(setting))
    let next = 0
    const once = (): Promise<void> => appendOne(running, next++)
    await keepCalling(callers, setting.seconds * warmUp, once)
    const done = await keepCalling(callers, setting.seconds, once)
    await checkLog(running, next)
    return { value: rate(done) }
  },
})

const checkRaw = (store: RawStore, count: number): void => {
  const row = store.database
    .prepare("SELECT count(*) AS stored, sum(data ->> '$.n') AS sum FROM events")
    .get()
  check('events in the table', row?.['stored'], count)
  check('their sum', row?.['sum'], sumOf(count))
}

const raw = (name: string, options: { batch: number; indexes: boolean }): Case => ({
  name,
  side: 'raw',
  async run(setting: Setting) {
    const { batch, indexes } = options
    const store = new RawStore(fileOf(setting), { indexes })
    let next = 0
    const one = () => {
      const n = next++
      const place = { stream: streamOf(n), expected: versionBefore(n) }
      return { ...place, type: ItemAdded.type, data: payload(n) }
    }
    const once = (): number => {
      store.append(Array.from({ length: batch }, one))
      return batch
    }
    keepDoing(setting.seconds * warmUp, once)
    const done = keepDoing(setting.seconds, once)
    checkRaw(store, next)
    store.close()
    return { value: rate(done) }
  },
})

export const append64: Row = {
  name: 'append-64',
  title: 'append one event, version-checked, 64 callers',
  unit: 'events/s',
  durability: 'WAL, synchronous=FULL: committed and flushed before the caller goes on',
  cases: [
    ours(64),
    raw('raw, group commit of 64', { batch: 64, indexes: false }),
    raw('raw, the same with our indexes', { batch: 64, indexes: true }),
    emmettAppend('emmett-sqlite, one connection', { durable: true, callers: 64 }),
    emmettAppend('emmett-sqlite, default', { durable: false, callers: 64 }),
  ],
  targets: [
    { against: 'raw, group commit of 64', atLeast: 0.7 },
    { against: 'emmett-sqlite, one connection', atLeast: 40 },
  ],
}

export const append1: Row = {
  name: 'append-1',
  title: 'append one event, version-checked, one caller',
  unit: 'events/s',
  durability: 'WAL, synchronous=FULL: one flush per event',
  cases: [
    ours(1),
    raw('raw, one checked transaction each', { batch: 1, indexes: false }),
    emmettAppend('emmett-sqlite, one connection', { durable: true, callers: 1 }),
    emmettAppend('emmett-sqlite, default', { durable: false, callers: 1 }),
  ],
  targets: [{ against: 'raw, one checked transaction each', atLeast: 0.9 }],
}
