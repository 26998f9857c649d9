// @dcb-es/event-store-postgres for the torture kit, by its public names: append, read, and a pool whose COMMIT can be late. SERVER is the
// URL of a server that can be spared; each store is a database of its own.
import { randomUUID } from 'node:crypto'
import { AppendConditionError, Query, SequencePosition, Tags } from '@dcb-es/event-store'
import { PostgresEventStore } from '@dcb-es/event-store-postgres'
import pg from 'pg'

const server = process.env['SERVER'] ?? 'postgres://postgres@localhost/postgres'

const urlOf = (database) => {
  const url = new URL(server)
  if (database !== undefined) url.pathname = `/${database}`
  return url.href
}

const openSession = async (database) => {
  const client = new pg.Client(urlOf(database))
  client.on('error', () => undefined)
  await client.connect()
  return {
    query: (text, values) => client.query(text, values && [...values]),
    close: () => client.end(),
  }
}

/** Its connections are cut on purpose. */
const poolOf = (database) => {
  const pool = new pg.Pool({
    connectionString: urlOf(database),
    application_name: database,
    max: 4,
  })
  pool.on('error', () => undefined)
  pool.on('connect', (client) => client.on('error', () => undefined))
  return pool
}

/** Tags have no spaces. */
const tagOf = (stream) => Tags.fromObj({ stream: stream.replaceAll(' ', '-') })
const of = (stream) => Query.fromItems([{ types: ['Noted'], tags: tagOf(stream) }])

/** As its users do: what is decided upon is read, and nothing that belongs to it may have come since. */
const conditionOf = async (store, { stream, expected }) => {
  let [count, after] = [0, SequencePosition.initial()]
  for await (const { position } of store.read(of(stream))) [count, after] = [count + 1, position]
  return count === expected ? { failIfEventsMatch: of(stream), after } : undefined
}

const append = async (store, request) => {
  const { stream, ids, expected } = request
  const events = ids.map((id) => ({
    type: 'Noted',
    tags: tagOf(stream),
    data: { id, stream },
    metadata: {},
  }))
  const condition = expected === undefined ? undefined : await conditionOf(store, request)
  if (expected !== undefined && condition === undefined) return 'refused'
  try {
    await store.append(condition === undefined ? { events } : { events, condition })
    return 'appended'
  } catch (error) {
    if (error instanceof AppendConditionError) return 'refused'
    if (error.code === '40P01') return 'busy'
    throw error
  }
}

/** The pool, but that COMMIT waits: until `gate` lets it go, or turns it into what undoes. */
const late = (pool, gate) => ({
  query: (...asked) => pool.query(...asked),
  async connect() {
    const client = await pool.connect()
    return new Proxy(client, {
      get(target, name) {
        const member = Reflect.get(target, name)
        if (name !== 'query') return typeof member === 'function' ? member.bind(target) : member
        return (text, ...values) => {
          // What is given for COPY is a stream, not a promise.
          if (text !== 'COMMIT') return target.query(text, ...values)
          gate.begun.resolve()
          return gate.end.promise.then(() => target.query(text))
        }
      },
    })
  },
})

/** Each of its appends is a transaction of its own, so there can be one in this. */
const begin = (pool) => {
  const gate = { begun: Promise.withResolvers(), end: Promise.withResolvers() }
  gate.end.promise.catch(() => undefined)
  // All of them in a transaction that it begins itself: that is what it does above this number of events.
  const store = new PostgresEventStore({ pool: late(pool, gate), copyThreshold: 0 })
  let done
  return {
    async append(request) {
      if (done !== undefined) throw new Error('The kit can hold one append open here.')
      done = append(store, request)
      done.catch(() => undefined)
      return (await Promise.race([gate.begun.promise, done])) ?? 'appended'
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

/** Each look sees what is there: that it may lag by 50 ms otherwise would have time decide what is seen. */
const readerOf = (pool) => {
  const store = new PostgresEventStore({ pool, hwmCacheTtlMs: 0 })
  let after = SequencePosition.initial()
  return {
    async next(limit) {
      const seen = []
      for await (const { event, position } of store.read(Query.all(), { after, limit })) {
        seen.push({
          id: event.data.id,
          stream: event.data.stream,
          position: BigInt(position.toString()),
        })
        after = position
      }
      return seen
    },
  }
}

/** A subscription that throws is begun again where it was: whether it is, is left to its user. */
const followIn = async (database, told) => {
  const pool = poolOf(database)
  const ending = new AbortController()
  const { signal } = ending
  const store = new PostgresEventStore({ pool })
  let after = SequencePosition.initial()
  const once = async () => {
    for await (const { event, position } of store.subscribe(Query.all(), { after, signal })) {
      told({ id: event.data.id, stream: event.data.stream })
      after = position
    }
  }
  const following = (async () => {
    while (!signal.aborted)
      await once().catch(() => new Promise((resolve) => void setTimeout(resolve, 50)))
  })()
  return {
    async stop() {
      ending.abort()
      await following
      await pool.end()
    },
  }
}

export const torture = async () => {
  const database = `dcb_${randomUUID().replaceAll('-', '')}`
  const owner = await openSession()
  await owner.query(`CREATE DATABASE ${database}`)
  const first = poolOf(database)
  await new PostgresEventStore({ pool: first }).ensureInstalled()
  await first.end()
  return {
    async connect() {
      const pool = poolOf(database)
      const store = new PostgresEventStore({ pool })
      return {
        append: (request) => append(store, request),
        reader: () => readerOf(pool),
        begin: async () => begin(pool),
        close: () => pool.end(),
      }
    },
    follow: (told) => followIn(database, told),
    sessions: {
      open: (other = database) => openSession(other),
      application: database,
      sequences: ['public.events_sequence_position_seq'],
    },
    async dispose() {
      await owner.query(`DROP DATABASE ${database} WITH (FORCE)`)
      await owner.close()
    },
  }
}
