/**
 * The few methods of a synchronous SQLite driver that the adapter calls. `DatabaseSync` of node:sqlite and `Database`
 * of better-sqlite3 both fit; neither is imported. The optional methods only make rows cheaper or integers exact.
 */

/** What SQLite stores. */
export type SqliteValue = string | number | bigint | null | Uint8Array

/** A prepared statement. */
export interface SqliteStatement {
  run(...parameters: SqliteValue[]): { readonly changes: number | bigint }
  get(...parameters: SqliteValue[]): unknown
  all(...parameters: SqliteValue[]): unknown[]
  iterate(...parameters: SqliteValue[]): Iterable<unknown>
  /** node:sqlite: rows as arrays. */
  setReturnArrays?(enabled: boolean): unknown
  /** node:sqlite: every integer as a bigint. */
  setReadBigInts?(enabled: boolean): unknown
  /** node:sqlite: the text of the one statement that was compiled. */
  readonly sourceSQL?: string
  /** better-sqlite3: rows as arrays; only for statements that return rows. */
  raw?(enabled: boolean): unknown
  /** better-sqlite3: every integer as a bigint. */
  safeIntegers?(enabled: boolean): unknown
  /** better-sqlite3: whether the statement returns rows; only then may `get`, `all` and `iterate` be called. */
  readonly reader?: boolean
}

/**
 * An open connection. Thence sets pragmas on it, runs its transactions on it and closes it: give it one of its own.
 */
export interface SqliteDatabase {
  exec(sql: string): unknown
  prepare(sql: string): SqliteStatement
  close(): unknown
}
