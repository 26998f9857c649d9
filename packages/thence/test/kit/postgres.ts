// Stores on the tests' PostgreSQL server: each in a schema of its own, where unqualified names of the user's SQL go too.
import { randomUUID } from 'node:crypto'
import { Pool } from 'pg'
import { type PostgresOptions, postgres } from 'thence/postgres'
import type { Database } from 'thence'
import { inject } from 'vitest'

export interface PostgresPlace {
  /** A new Database object on this store. */
  connect(options?: Partial<Omit<PostgresOptions, 'schema'>>): Database
  /** A pool for what a test does beside the store. */
  pool(): Pool
  dispose(): Promise<void>
}

export const postgresPlace = (): PostgresPlace => {
  const schema = `t_${randomUUID().replaceAll('-', '')}`
  const pool = (): Pool =>
    new Pool({
      connectionString: inject('postgres'),
      max: 8,
      options: `-c search_path=${schema} -c client_min_messages=warning`,
    })
  return {
    // The clock of a test is that of its runtime, which stands still until it is advanced.
    connect: (options) =>
      postgres({ clock: 'runtime', pool: options?.pool ?? pool(), ...options, schema }),
    pool,
    async dispose() {
      const one = pool()
      await one.query(`DROP SCHEMA IF EXISTS ${schema} CASCADE`)
      await one.end()
    },
  }
}
