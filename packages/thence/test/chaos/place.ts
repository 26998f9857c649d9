// Opens the store of these tests, a SQLite file or a PostgreSQL URL, and counts which commits were certain and which in doubt.
import { DatabaseSync } from 'node:sqlite'
import { Pool } from 'pg'
import { isThenceError } from 'thence'
import type { Database } from 'thence'
import { postgres } from 'thence/postgres'
import { sqlite } from 'thence/sqlite'

export const isServer = (path: string): boolean => path.startsWith('postgres://')

export const openAt = (path: string): Database => {
  if (!isServer(path)) return sqlite({ database: new DatabaseSync(path), busyTimeout: 20_000 })
  const limits = { connectionTimeoutMillis: 5000, query_timeout: 15_000 }
  return postgres({
    pool: new Pool({ connectionString: path, max: 6, keepAlive: true, ...limits }),
  })
}

export interface Tally {
  /** Commits of appends that were answered. */
  commits: number
  /** Those of which it was not known whether they had happened. */
  inDoubt: number
}

export const newTally = (): Tally => ({ commits: 0, inDoubt: 0 })

/** The same database, whose appends are counted: what a process notes of itself beside them is not. */
export const tallied = (database: Database, tally: Tally): Database => {
  const append: Database['append'] = async (requests) => {
    try {
      const verdicts = await database.append(requests)
      tally.commits += 1
      return verdicts
    } catch (error) {
      if (isThenceError(error, 'OUTCOME_UNKNOWN')) tally.inDoubt += 1
      throw error
    }
  }
  return new Proxy(database, {
    get(target, name) {
      if (name === 'append') return append
      const member: unknown = Reflect.get(target, name)
      return typeof member === 'function' ? (member.bind(target) as unknown) : member
    },
  })
}
