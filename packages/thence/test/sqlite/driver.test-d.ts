/** Both real drivers fit the structural types, and so does nothing that lacks a method. */
import type { DatabaseSync, StatementSync } from 'node:sqlite'
import type BetterSqlite from 'better-sqlite3'
import { sqlite, type SqliteDatabase, type SqliteStatement } from 'thence/sqlite'
import { describe, expectTypeOf, test } from 'vitest'
import type { Database } from '../../src/ports/database.ts'

describe('a driver', () => {
  test('node:sqlite fits', () => {
    expectTypeOf<DatabaseSync>().toExtend<SqliteDatabase>()
    expectTypeOf<StatementSync>().toExtend<SqliteStatement>()
    expectTypeOf(sqlite).toBeCallableWith({ database: {} as DatabaseSync })
  })

  test('better-sqlite3 fits', () => {
    expectTypeOf<BetterSqlite.Database>().toExtend<SqliteDatabase>()
    expectTypeOf<BetterSqlite.Statement>().toExtend<SqliteStatement>()
    expectTypeOf(sqlite).toBeCallableWith({ database: {} as BetterSqlite.Database })
  })

  test('gives a Database of the ports', () => {
    expectTypeOf(sqlite).returns.toEqualTypeOf<Database>()
  })

  test('without prepare does not fit', () => {
    expectTypeOf<Pick<DatabaseSync, 'exec' | 'close'>>().not.toExtend<SqliteDatabase>()
  })
})
