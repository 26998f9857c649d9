/**
 * Thence on PostgreSQL as a subject of the torture kit: each store in a schema of its own, which is dropped afterwards.
 */
import { randomUUID } from 'node:crypto'
import type {
  TortureClient,
  TortureEvent,
  TortureMake,
  TortureOwn,
  TortureSession,
  TortureSubject,
} from 'thence/conformance'
import { tortureDatabase } from 'thence/conformance'
import type { Order, PostgresClient, PostgresPool, PostgresQuery } from 'thence/postgres'
import { postgres } from 'thence/postgres'
import { app } from '../app/builder.ts'
import { systemRuntime } from '../app/system-runtime.ts'
import { event } from '../message/define.ts'
import { plain } from '../message/schema.ts'
import type { Database } from '../ports/database.ts'
import type { PostgresDriver } from './open.ts'

/** A pool whose next COMMIT becomes a PREPARE TRANSACTION, if a name for it was given. */
class Preparing implements PostgresPool {
  readonly on: PostgresPool['on']
  readonly #pool: PostgresPool
  #name: string | undefined

  constructor(pool: PostgresPool) {
    this.#pool = pool
    this.on = pool.on.bind(pool)
  }

  prepareAs(name: string): void {
    this.#name = name
  }

  async connect(): Promise<PostgresClient> {
    const client = await this.#pool.connect()
    const query: PostgresClient['query'] = client.query.bind(client)
    const asked = async (text: PostgresQuery & string) => {
      const name = this.#name
      if (name === undefined || text !== 'COMMIT') return query(text)
      this.#name = undefined
      await query(`PREPARE TRANSACTION '${name}'`)
      return { command: 'COMMIT', rowCount: null, rows: [] }
    }
    return new Proxy(client, {
      get(target, name) {
        if (name === 'query') return asked
        const member: unknown = Reflect.get(target, name)
        return typeof member === 'function' ? (member.bind(target) as unknown) : member
      },
    })
  }

  end(): Promise<void> {
    return this.#pool.end()
  }
}

/** A session beside the store; what becomes of it while nobody asks it is nobody's business. */
async function openSession(driver: PostgresDriver, url: string): Promise<TortureSession> {
  const client = new driver.Client({ connectionString: url })
  client.on('error', () => undefined)
  await client.connect()
  return {
    query: (text, values) => client.query(text, values && [...values]),
    close: () => client.end(),
  }
}

/** Of the kind that the kit appends. */
const Noted = event('Noted', plain<{ readonly note: string }>())

/** A handler of an app, which is told as every handler is. */
async function followApp(
  database: Database,
  told: (event: TortureEvent) => void,
): Promise<{ stop(): Promise<void> }> {
  const running = await app({ database, logger: false })
    .handle('told', Noted, ({ id, stream, position }) => told({ id, stream, position }))
    .start()
  return { stop: () => running.stop() }
}

/** In whose transactions appends are held open where several of them may be. */
async function openOwn(driver: PostgresDriver, options: object): Promise<TortureOwn> {
  const client = new driver.Client(options)
  client.on('error', () => undefined)
  await client.connect()
  return {
    query: async (text, values) => (await client.query(text, [...values])).rows,
    close: () => client.end(),
  }
}

/** Gives fresh stores of one order on the server at `url`, through `pg`. */
export function postgresTorture(
  driver: PostgresDriver,
  url: string,
  order: Order = 'sequenced',
): TortureMake {
  return async (): Promise<TortureSubject> => {
    const schema = `torture_${randomUUID().replaceAll('-', '')}`
    const options = { connectionString: url, application_name: schema }
    const pool = (max: number): PostgresPool => new driver.Pool({ ...options, max })
    const open = async (from: PostgresPool): Promise<Database> => {
      const database = postgres({ pool: from, schema, order })
      await database.open(systemRuntime())
      return database
    }
    const connect = async (): Promise<TortureClient> => {
      if (order === 'concurrent')
        return tortureDatabase({
          database: await open(pool(2)),
          own: () => openOwn(driver, options),
        })
      const preparing = new Preparing(pool(2))
      const database = await open(preparing)
      return tortureDatabase({ database, prepareAs: (name) => preparing.prepareAs(name) })
    }
    const first = await open(pool(1))
    await first.migrate()
    await first.close()
    return {
      connect,
      follow: async (told) => followApp(await open(pool(8)), told),
      sessions: {
        application: schema,
        sequences: order === 'concurrent' ? [`${schema}.positions`] : [],
        open(database) {
          const at = new URL(url)
          if (database !== undefined) at.pathname = `/${database}`
          return openSession(driver, at.href)
        },
      },
      async dispose() {
        const session = await openSession(driver, url)
        await session.query('SET client_min_messages = warning')
        await session.query(`DROP SCHEMA ${schema}, ${schema}_views CASCADE`)
        await session.close()
      },
    }
  }
}
