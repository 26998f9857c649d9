/**
 * The consumers of the rival on PostgreSQL, `@event-driven-io/emmett-postgresql`: what follows the log, with its default pool.
 */
import { performance } from 'node:perf_hooks'
import type { Case } from './bench.ts'
import { check } from './bench.ts'
import type { Payload } from './load.ts'
import { payload, streamCount, streamOf } from './load.ts'
import { onDatabase, type Place } from './postgres-server.ts'
import { figureOf, sample } from './sample.ts'

const load = () => import('@event-driven-io/emmett-postgresql')

type Store = ReturnType<Awaited<ReturnType<typeof load>>['getPostgreSQLEventStore']>

const added = (n: number) => ({ type: 'ItemAdded', data: { ...payload(n) } })

const withStore = <T>(work: (store: Store, place: Place) => Promise<T>): Promise<T> =>
  onDatabase(async (place) => {
    const { getPostgreSQLEventStore } = await load()
    const store = getPostgreSQLEventStore(place.url)
    await store.schema.migrate()
    try {
      return await work(store, place)
    } finally {
      await store.close()
    }
  })

/** 100 per append: consecutive events of one stream. */
const fill = async (store: Store, count: number): Promise<void> => {
  for (let n = 0; n < count; n += 100)
    await store.appendToStream(
      `cart-${(n / 100) % streamCount}`,
      Array.from({ length: 100 }, (_, index) => added(n + index)),
    )
}

interface Following {
  /** Fewer than ours is given: the rate does not depend on how many there are. */
  readonly events: number
  readonly pulling?: { readonly batchSize: number; readonly pullingFrequencyInMs: number }
}

const amount = ({ events }: Following, scale: number): number => Math.max(1000, events * scale)
const consuming = ({ pulling }: Following) => (pulling === undefined ? {} : { pulling })

/** A processor that does nothing with an event. */
export const emmettFeed = (name: string, following: Following): Case => ({
  name,
  side: 'rival',
  run: ({ scale }) =>
    withStore(async (store) => {
      const events = amount(following, scale)
      await fill(store, events)
      let seen = 0
      const consumer = store.consumer(consuming(following))
      consumer.reactor({
        processorId: 'counting',
        eachMessage: () => void (seen += 1),
        stopAfter: () => seen === events,
      })
      const start = performance.now()
      await consumer.start()
      const seconds = (performance.now() - start) / 1000
      await consumer.close()
      check('events seen', seen, events)
      return { value: events / seconds }
    }),
})

const createView = 'CREATE TABLE counters (stream TEXT PRIMARY KEY, count INTEGER)'

/** A projection that counts events per stream in a table. */
export const emmettFollow = (name: string, following: Following): Case => ({
  name,
  side: 'rival',
  run: ({ scale }) =>
    withStore(async (store, place) => {
      const { postgreSQLRawSQLProjection } = await load()
      const { SQL } = await import('@event-driven-io/dumbo')
      const events = amount(following, scale)
      await fill(store, events)
      await place.query(createView)
      let seen = 0
      const consumer = store.consumer(consuming(following))
      consumer.projector({
        projection: postgreSQLRawSQLProjection({
          name: 'counters',
          canHandle: ['ItemAdded'],
          evolve: (event) => {
            const { streamName } = (event as unknown as { metadata: { streamName: string } })
              .metadata
            return SQL`INSERT INTO counters VALUES (${streamName}, 1) ON CONFLICT (stream) DO UPDATE SET count = counters.count + 1`
          },
        }),
        stopAfter: () => (seen += 1) === events,
      })
      const start = performance.now()
      await consumer.start()
      const seconds = (performance.now() - start) / 1000
      await consumer.close()
      const [row] = await place.query<{ sum: string }>('SELECT sum(count) AS sum FROM counters')
      check('events counted in the view', Number(row?.sum), events)
      return { value: events / seconds }
    }),
})

/** From the call of its append to the start of a handler of its consumer, which polls. */
export const emmettLatency = (name: string): Case => ({
  name,
  side: 'rival',
  run: ({ seconds }) =>
    withStore(async (store) => {
      let told: (n: number) => void = () => undefined
      const consumer = store.consumer()
      consumer.reactor({
        processorId: 'waiting',
        eachMessage: ({ data }) => told((data as unknown as Payload).n),
      })
      const running = consumer.start()
      let next = 0
      const once = async (): Promise<number> => {
        const n = next++
        const start = performance.now()
        const { promise, resolve } = Promise.withResolvers<void>()
        told = (which) => {
          if (which === n) resolve()
        }
        await store.appendToStream(streamOf(n), [added(n)])
        await promise
        return performance.now() - start
      }
      const times = await sample(seconds, once, 2)
      await consumer.close()
      await running
      return figureOf(times)
    }),
})
