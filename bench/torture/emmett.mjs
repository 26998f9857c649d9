// emmett-postgresql for the torture kit, by its public names: appendToStream, an inline projection that holds an append open, and a consumer
// with a reactor. SERVER is the URL of a server that can be spared; each store is a database of its own.
import { randomUUID } from 'node:crypto'
import { getPostgreSQLEventStore } from '@event-driven-io/emmett-postgresql'
import pg from 'pg'

const server = process.env['SERVER'] ?? 'postgres://postgres@localhost/postgres'

// Its connections are cut on purpose, and nobody listens to their errors.
process.on('uncaughtException', (error) => {
  if (error.code !== '57P01' && !/terminated unexpectedly/.test(error.message)) throw error
})

const urlOf = (database) => {
  const url = new URL(server)
  if (database !== undefined) url.pathname = `/${database}`
  return url
}

const openSession = async (database) => {
  const client = new pg.Client(urlOf(database).href)
  client.on('error', () => undefined)
  await client.connect()
  return {
    query: (text, values) => client.query(text, values && [...values]),
    close: () => client.end(),
  }
}

/** Appends that are held open, by the id of their first event. */
const held = new Map()

const holding = {
  name: 'holding',
  canHandle: ['Noted'],
  async handle(events) {
    for (const { data } of events) {
      const gate = held.get(data.id)
      gate?.begun.resolve()
      await gate?.end.promise
    }
  },
}

const append = async (store, { stream, ids, expected }) => {
  const events = ids.map((id) => ({ type: 'Noted', data: { id } }))
  const version = expected === 0 ? 'STREAM_DOES_NOT_EXIST' : BigInt(expected ?? 0)
  try {
    await store.appendToStream(
      stream,
      events,
      expected === undefined ? undefined : { expectedStreamVersion: version },
    )
    return 'appended'
  } catch (error) {
    if (/version/i.test(error.message)) return 'refused'
    throw error
  }
}

/** Each of its appends is a transaction of its own, so there can be one in this. */
const begin = (store) => {
  const gate = { begun: Promise.withResolvers(), end: Promise.withResolvers() }
  let done
  return {
    async append(request) {
      if (done !== undefined) throw new Error('The kit can hold one append open here.')
      held.set(request.ids[0], gate)
      done = append(store, request)
      done.catch(() => undefined)
      await Promise.race([gate.begun.promise, done])
      return 'appended'
    },
    async commit() {
      gate.end.resolve()
      await done
    },
    async rollback() {
      gate.end.reject(new Error('rolled back'))
      await done?.catch(() => undefined)
    },
  }
}

/** Longer than it pauses between two looks when there was nothing. */
const patience = 1200

const readerOf = (store) => {
  const seen = []
  const consumer = store.consumer({ pulling: { batchSize: 100, pullingFrequencyInMs: 20 } })
  consumer.reactor({
    processorId: randomUUID(),
    startFrom: 'BEGINNING',
    eachMessage: ({ data, metadata }) =>
      void seen.push({
        id: data.id,
        stream: metadata.streamName,
        version: Number(metadata.streamPosition),
      }),
  })
  void consumer.start().catch(() => undefined)
  return {
    async next(limit) {
      const until = performance.now() + patience
      while (seen.length === 0 && performance.now() < until)
        await new Promise((resolve) => void setTimeout(resolve, 50))
      return seen.splice(0, limit)
    },
    stop: () => consumer.close(),
  }
}

export const torture = async () => {
  const database = `emmett_${randomUUID().replaceAll('-', '')}`
  const owner = await openSession()
  await owner.query(`CREATE DATABASE ${database}`)
  const url = urlOf(database)
  url.searchParams.set('application_name', database)
  const open = () =>
    getPostgreSQLEventStore(url.href, {
      schema: { autoMigration: 'None' },
      projections: [{ type: 'inline', projection: holding }],
    })
  const first = open()
  await first.schema.migrate()
  await first.close()
  return {
    async connect() {
      const store = open()
      return {
        append: (request) => append(store, request),
        reader: () => readerOf(store),
        begin: async () => begin(store),
        close: () => store.close(),
      }
    },
    sessions: {
      open: (other = database) => openSession(other),
      application: database,
      sequences: ['public.emt_global_message_position'],
    },
    async dispose() {
      await owner.query(`DROP DATABASE ${database} WITH (FORCE)`)
      await owner.close()
    },
  }
}
