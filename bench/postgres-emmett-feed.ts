/**
 * The consumers of the rival on PostgreSQL, `@event-driven-io/emmett-postgresql`: what follows the log, with its default pool.
 */
import { performance } from 'node:perf_hooks'
import type { Case } from './bench.ts'
import { check } from './bench.ts'
import { amount, fill, Waiting } from './emmett.ts'
import { onDatabase, type Place } from './postgres-server.ts'

const load = () => import('@event-driven-io/emmett-postgresql')

type Store = ReturnType<Awaited<ReturnType<typeof load>>['getPostgreSQLEventStore']>

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

interface Following {
  readonly events: number
  readonly pulling?: { readonly batchSize: number; readonly pullingFrequencyInMs: number }
}

const consuming = ({ pulling }: Following) => (pulling === undefined ? {} : { pulling })

/** A processor that does nothing with an event. */
export const emmettFeed = (name: string, following: Following): Case => ({
  name,
  side: 'rival',
  run: ({ scale }) =>
    withStore(async (store) => {
      const events = amount(following.events, scale)
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
      const events = amount(following.events, scale)
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
      const waiting = new Waiting()
      const consumer = store.consumer()
      consumer.reactor({ processorId: 'waiting', eachMessage: waiting.eachMessage })
      const running = consumer.start()
      const figure = await waiting.figure(store, seconds)
      await consumer.close()
      await running
      return figure
    }),
})
