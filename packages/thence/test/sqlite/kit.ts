/**
 * What the SQLite tests share: both drivers, directories that are removed, a plain runtime, and messages to store.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import BetterSqlite from 'better-sqlite3'
import { sqlite, type SqliteDatabase, type SqliteOptions } from 'thence/sqlite'
import { onTestFinished } from 'vitest'
import type { Database } from '../../src/ports/database.ts'
import type { Appended, NewMessage, Verdict } from '../../src/ports/events.ts'
import { systemRuntime } from '../../src/app/system-runtime.ts'

export const drivers: readonly {
  readonly name: string
  readonly connect: (path: string) => SqliteDatabase
}[] = [
  { name: 'node:sqlite', connect: (path) => new DatabaseSync(path) },
  { name: 'better-sqlite3', connect: (path) => new BetterSqlite(path) },
]

/** A directory that is removed when the test is over. */
export const directory = (): string => {
  const path = mkdtempSync(join(tmpdir(), 'thence-sqlite-'))
  onTestFinished(() => rmSync(path, { recursive: true, force: true }))
  return path
}

export const storePath = (): string => join(directory(), 'store.db')

/** An opened store that is closed when the test is over; it is not migrated. */
export const opened = async (
  connection: SqliteDatabase,
  options: Omit<SqliteOptions, 'database'> = {},
): Promise<Database> => {
  const database = sqlite({ database: connection, ...options })
  onTestFinished(() => database.close())
  await database.open(systemRuntime())
  return database
}

/** An opened and migrated store. */
export const store = async (
  path: string = storePath(),
  options: Omit<SqliteOptions, 'database'> & {
    readonly connect?: (path: string) => SqliteDatabase
  } = {},
): Promise<Database> => {
  const { connect = (file: string) => new DatabaseSync(file), ...rest } = options
  const database = await opened(connect(path), rest)
  await database.migrate()
  return database
}

/** The same connection, but that `run` is asked to do each COMMIT. */
export const committing = (
  connection: DatabaseSync,
  run: (commit: () => { readonly changes: number | bigint }) => {
    readonly changes: number | bigint
  },
): SqliteDatabase => ({
  exec: (sql) => connection.exec(sql),
  close: () => connection.close(),
  prepare: (sql) => {
    const statement = connection.prepare(sql)
    if (sql !== 'COMMIT') return statement
    return {
      run: () => run(() => statement.run()),
      get: () => undefined,
      all: () => [],
      iterate: () => [],
    }
  },
})

let messages = 0

export const message = (change: Partial<NewMessage> = {}): NewMessage => {
  messages += 1
  return {
    id: `m-${messages}`,
    kind: 'event',
    type: 'Happened',
    schemaVersion: 1,
    data: `{"n":${messages}}`,
    correlationId: null,
    causationId: null,
    metadata: null,
    tags: [],
    time: 1_000 + messages,
    ...change,
  }
}

/** The place of an append that must have succeeded. */
export const appended = (verdict: Verdict | undefined): Appended => {
  if (verdict?.outcome !== 'appended') throw new Error(`not appended: ${JSON.stringify(verdict)}`)
  return verdict
}
