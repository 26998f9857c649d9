/**
 * Reading whole streams of 100 events, decoded into objects, one stream after the other.
 */
import type { Recorded } from 'thence'
import type { Case, Row } from './bench.ts'
import { check } from './bench.ts'
import { emmettRead } from './emmett-cases.ts'
import type { Payload } from './load.ts'
import { keepCalling, keepDoing, payload, rate, warmUp } from './load.ts'
import { fileOf, ItemAdded, startApp } from './ours.ts'
import { RawStore } from './raw.ts'

const streams = 200
const length = 100

const lastOf = (stream: number): number => stream * length + length - 1
const numbers = (stream: number): number[] =>
  Array.from({ length }, (_, index) => stream * length + index)

const ours: Case = {
  name: 'thence',
  side: 'ours',
  async run(setting) {
    await using running = await startApp(fileOf(setting))
    for (let stream = 0; stream < streams; stream += 1)
      await running.append({
        stream: `cart-${stream}`,
        expected: 'none',
        events: numbers(stream).map((n) => ItemAdded(payload(n))),
      })
    let next = 0
    let right = 0
    const once = async (): Promise<void> => {
      const stream = next++ % streams
      const events: Recorded[] = []
      for await (const event of running.stream(`cart-${stream}`)) events.push(event)
      const last = events.at(-1)?.data as Payload | undefined
      if (events.length === length && last?.n === lastOf(stream)) right += 1
    }
    await keepCalling(1, setting.seconds * warmUp, once)
    const done = await keepCalling(1, setting.seconds, once)
    check('streams read in full', right, next)
    return { value: rate(done) * length }
  },
}

const raw: Case = {
  name: 'raw, prepared SELECT and JSON.parse',
  side: 'raw',
  async run(setting) {
    const store = new RawStore(fileOf(setting))
    for (let stream = 0; stream < streams; stream += 1)
      store.append(
        numbers(stream).map((n, index) => ({
          stream: `cart-${stream}`,
          expected: index,
          type: ItemAdded.type,
          data: payload(n),
        })),
      )
    let next = 0
    let right = 0
    const once = (): number => {
      const stream = next++ % streams
      const events = store.stream(`cart-${stream}`)
      const last = events.at(-1)?.data as Payload | undefined
      if (events.length === length && last?.n === lastOf(stream)) right += 1
      return length
    }
    keepDoing(setting.seconds * warmUp, once)
    const done = keepDoing(setting.seconds, once)
    check('streams read in full', right, next)
    store.close()
    return { value: rate(done) }
  },
}

export const read: Row = {
  name: 'read',
  title: 'read 100-event streams, decoded, one after the other',
  unit: 'events/s',
  durability: 'reads; the file is warm',
  cases: [
    ours,
    raw,
    emmettRead('emmett-sqlite, one connection', { durable: true }),
    emmettRead('emmett-sqlite, default', { durable: false }),
  ],
  targets: [{ against: raw.name, atLeast: 0.7 }],
}
