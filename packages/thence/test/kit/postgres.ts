// Stores on the tests' PostgreSQL server: each in a schema of its own, where unqualified names of the user's SQL go too.
import { randomUUID } from 'node:crypto'
import { Pool, type PoolClient } from 'pg'
import type { Database, Runtime } from 'thence'
import type { PostgresClient, PostgresOptions, PostgresPool, PostgresQuery } from 'thence/postgres'
import { postgres } from 'thence/postgres'
import { inject } from 'vitest'

export interface PostgresPlace {
  readonly schema: string
  /** As the command takes it. */
  readonly url: string
  /** A new Database object on this store. */
  connect(options?: Partial<Omit<PostgresOptions, 'schema'>>): Database
  /** A pool for what a test does beside the store. */
  pool(): Pool
  dispose(): Promise<void>
}

/**
 * A pool on whose answers a virtual clock waits: while one is out, something is planned `soon`, so that time does not pass.
 */
const awaited = (pool: Pool, runtime: Pick<Runtime, 'soon'>): PostgresPool => {
  let out = 0
  const spin = (): void => {
    if (out > 0) runtime.soon(spin)
  }
  const wait = async <T>(work: Promise<T>): Promise<T> => {
    out += 1
    if (out === 1) runtime.soon(spin)
    try {
      return await work
    } finally {
      out -= 1
    }
  }
  const client = (one: PoolClient): PostgresClient => {
    const query: PostgresClient['query'] = one.query.bind(one)
    return {
      query: (asked: PostgresQuery & string) => wait(query(asked)),
      on: one.on.bind(one),
      off: one.off.bind(one),
      release: (destroy) => one.release(destroy),
    }
  }
  return {
    connect: async () => client(await wait(pool.connect())),
    on: (event, listener) => pool.on(event, listener),
    end: () => wait(pool.end()),
  }
}

/** With a virtual runtime, its time waits for the server. */
export const postgresPlace = (runtime?: Runtime): PostgresPlace => {
  const schema = `t_${randomUUID().replaceAll('-', '')}`
  const pool = (): Pool =>
    new Pool({
      connectionString: inject('postgres'),
      max: 8,
      options: `-c search_path=${schema} -c client_min_messages=warning`,
    })
  return {
    schema,
    url: `${inject('postgres')}?schema=${schema}`,
    // The clock of a test is that of its runtime, which stands still until it is advanced.
    connect: (options) => {
      const own = runtime === undefined ? pool() : awaited(pool(), runtime)
      // What comes from the server by itself would come at any of its moments.
      const listen = runtime === undefined
      return postgres({ clock: 'runtime', pool: own, listen, ...options, schema })
    },
    pool,
    async dispose() {
      const one = pool()
      await one.query(`DROP SCHEMA IF EXISTS ${schema}, ${schema}_views CASCADE`)
      await one.end()
    },
  }
}
