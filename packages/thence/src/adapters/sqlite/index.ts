/**
 * `thence/sqlite`: a store in one SQLite file, on node:sqlite or better-sqlite3.
 */
import type { Database } from '../../ports/database.ts'
import { type SqliteOptions, SqliteStore } from './database.ts'

export type { SqliteDatabase, SqliteStatement, SqliteValue } from './driver.ts'
export type { SqliteOptions } from './database.ts'

/**
 * A database in one SQLite file (or `:memory:`). It owns the connection from here on: it sets WAL and
 * `synchronous`, runs its transactions on it, and closes it.
 */
export function sqlite(options: SqliteOptions): Database {
  return new SqliteStore(options)
}
