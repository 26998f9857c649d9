/**
 * The rival on SQLite, `@event-driven-io/emmett-sqlite`, doing the work of each row. It is loaded only when a case
 * runs, so that ours can be measured without it.
 */
import type { Case } from './bench.ts'
import { check } from './bench.ts'
import { added, amount, fill, Waiting } from './emmett.ts'
import type { Payload } from './load.ts'
import { keepCalling, rate, streamOf, sumOf, versionBefore, warmUp } from './load.ts'
import { fileOf } from './ours.ts'

const load = () => import('@event-driven-io/emmett-sqlite')

type Emmett = Awaited<ReturnType<typeof load>>
type Connection = ReturnType<Emmett['sqliteConnection']>
type EventStore = ReturnType<Emmett['getSQLiteEventStore']>

interface Opened {
  readonly store: EventStore
  readonly connection: Connection
  close(): void
}

/**
 * `durable`: one connection for everything, WAL and FULL, its fastest safe set-up. Otherwise its default: a new
 * connection per operation.
 */
const open = async (file: string, durable: boolean): Promise<Opened> => {
  const { getSQLiteEventStore, sqliteConnection } = await load()
  const connection = sqliteConnection({ fileName: file })
  await connection.command('PRAGMA journal_mode = WAL')
  await connection.command('PRAGMA synchronous = FULL')
  const store = getSQLiteEventStore({
    fileName: file,
    ...(durable ? { connectionOptions: { singleton: true, connection } } : {}),
  })
  await store.schema.migrate()
  return { store, connection, close: () => connection.close() }
}

const checkTable = async ({ connection }: Opened, count: number): Promise<void> => {
  const row = await connection.querySingle<{ stored: number; sum: number }>(
    "SELECT count(*) AS stored, sum(message_data ->> '$.n') AS sum FROM emt_messages",
  )
  check('events in the table', row?.stored, count)
  check('their sum', row?.sum, sumOf(count))
}

/**
 * One append at a time, however many callers: its connection counts nested transactions, so appends that overlap on it
 * join one transaction and are acknowledged before it commits; on connections of their own all but one fail.
 */
const oneAtATime = (): ((work: () => Promise<void>) => Promise<void>) => {
  let last: Promise<void> = Promise.resolve()
  return (work) => {
    last = last.then(work)
    return last
  }
}

/** On a new connection its own PRAGMA may still run when it commits: SQLITE_BUSY, now and then. Then it tries again. */
const patiently = async (work: () => Promise<void>): Promise<void> => {
  for (let tries = 1; ; tries += 1)
    try {
      return await work()
    } catch (error) {
      if (tries === 10 || (error as { code?: string }).code !== 'SQLITE_BUSY') throw error
    }
}

export const emmettAppend = (
  name: string,
  options: { readonly durable: boolean; readonly callers: number },
): Case => ({
  name,
  side: 'rival',
  async run(setting) {
    const opened = await open(fileOf(setting), options.durable)
    const queue = oneAtATime()
    let next = 0
    const append = async (): Promise<void> => {
      const n = next++
      const expectedStreamVersion = BigInt(versionBefore(n))
      await patiently(async () => {
        await opened.store.appendToStream(streamOf(n), [added(n)], { expectedStreamVersion })
      })
    }
    const once = (): Promise<void> => queue(append)
    await keepCalling(options.callers, setting.seconds * warmUp, once)
    const done = await keepCalling(options.callers, setting.seconds, once)
    await checkTable(opened, next)
    opened.close()
    return { value: rate(done) }
  },
})

export const emmettRead = (name: string, { durable }: { readonly durable: boolean }): Case => ({
  name,
  side: 'rival',
  async run(setting) {
    const opened = await open(fileOf(setting), durable)
    const streams = 50
    const length = 100
    for (let stream = 0; stream < streams; stream += 1)
      await opened.store.appendToStream(
        `cart-${stream}`,
        Array.from({ length }, (_, index) => added(stream * length + index)),
      )
    let stream = 0
    let right = 0
    const once = async (): Promise<void> => {
      const wanted = stream++ % streams
      const { events } = await opened.store.readStream(`cart-${wanted}`)
      const last = events.at(-1)?.data as Payload | undefined
      if (events.length === length && last?.n === wanted * length + length - 1) right += 1
    }
    await keepCalling(1, setting.seconds * warmUp, once)
    const done = await keepCalling(1, setting.seconds, once)
    check('streams read in full', right, stream)
    opened.close()
    return { value: rate(done) * length }
  },
})

const createView = 'CREATE TABLE IF NOT EXISTS counters (stream TEXT PRIMARY KEY, count INTEGER)'

/** Its consumer with a projection that counts events per stream in a table. */
export const emmettFollow = (
  name: string,
  options: { readonly events: number; readonly pulling?: object },
): Case => ({
  name,
  side: 'rival',
  async run(setting) {
    const opened = await open(fileOf(setting), true)
    const { sqliteRawSQLProjection } = await load()
    const events = amount(options.events, setting.scale)
    await fill(opened.store, events)
    await opened.connection.command(createView)
    let seen = 0
    const consumer = opened.store.consumer(
      options.pulling === undefined ? {} : { pulling: options.pulling },
    )
    const projection = sqliteRawSQLProjection({
      canHandle: ['ItemAdded'],
      evolve: (event) => {
        const stream = (event as unknown as { metadata: { streamName: string } }).metadata
        return `INSERT INTO counters VALUES ('${stream.streamName}', 1)
          ON CONFLICT (stream) DO UPDATE SET count = count + 1`
      },
    })
    consumer.processor({
      processorId: 'counters',
      projection,
      stopAfter: () => (seen += 1) === events,
    })
    const start = performance.now()
    await consumer.start()
    const seconds = (performance.now() - start) / 1000
    const row = await opened.connection.querySingle<{ sum: number }>(
      'SELECT sum(count) AS sum FROM counters',
    )
    check('events counted in the view', row?.sum, events)
    opened.close()
    return { value: events / seconds }
  },
})

/** From the call of its append to the start of a handler of its consumer, which polls. */
export const emmettLatency = (name: string): Case => ({
  name,
  side: 'rival',
  async run(setting) {
    const opened = await open(fileOf(setting), true)
    const waiting = new Waiting()
    const consumer = opened.store.consumer()
    consumer.processor({ processorId: 'waiting', eachMessage: waiting.eachMessage })
    const running = consumer.start()
    const figure = await waiting.figure(opened.store, setting.seconds)
    await consumer.stop()
    await running
    await checkTable(opened, waiting.sent)
    opened.close()
    return figure
  },
})
