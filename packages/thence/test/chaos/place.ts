// Opens the store of these tests, a SQLite file or a PostgreSQL URL, and counts which commits were certain and which in doubt.
import { writeSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { Pool } from 'pg'
import { isThenceError } from 'thence'
import type { Database } from 'thence'
import { postgres } from 'thence/postgres'
import { sqlite } from 'thence/sqlite'

export const isServer = (path: string): boolean => path.startsWith('postgres://')

const parameter = (path: string, name: string): string | null =>
  isServer(path) ? new URL(path).searchParams.get(name) : null

/** What a URL of a server tells these tests, in milliseconds: how long the store waits for an answer, and a counter before it goes on. */
const told = (path: string, name: 'patience' | 'pace'): number | undefined => {
  const value = parameter(path, name)
  return value === null ? undefined : Number(value)
}

export const paceAt = (path: string): number => told(path, 'pace') ?? (isServer(path) ? 0 : 15)

export const openAt = (path: string): Database => {
  if (!isServer(path)) return sqlite({ database: new DatabaseSync(path), busyTimeout: 20_000 })
  const patience = told(path, 'patience')
  // Where the store's own patience is tried, no other must come before it.
  const limits =
    patience === undefined ? { connectionTimeoutMillis: 5000, query_timeout: 15_000 } : {}
  return postgres({
    pool: new Pool({ connectionString: path, max: 6, keepAlive: true, ...limits }),
    ...(parameter(path, 'order') === 'concurrent' && { order: 'concurrent' }),
    ...(patience !== undefined && { statementTimeout: patience, lockTimeout: patience }),
  })
}

export interface Tally {
  /** Commits of appends that were answered. */
  commits: number
  /** Those of which it was not known whether they had happened. */
  inDoubt: number
  /** Why deposits were not taken: how often each code. */
  readonly refused: Record<string, number>
  /** What was said last with each code. */
  readonly why: Record<string, string>
}

export const newTally = (): Tally => ({ commits: 0, inDoubt: 0, refused: {}, why: {} })

/** The same database, whose appends are counted, and which says `in doubt` when the first one is: what a process notes of itself beside them is not. */
export const tallied = (database: Database, tally: Tally): Database => {
  const append: Database['append'] = async (requests) => {
    try {
      const verdicts = await database.append(requests)
      tally.commits += 1
      return verdicts
    } catch (error) {
      if (isThenceError(error, 'OUTCOME_UNKNOWN')) {
        tally.inDoubt += 1
        if (tally.inDoubt === 1) writeSync(1, 'in doubt\n')
      }
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
