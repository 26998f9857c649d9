/** The SQLite stores that the suites run on. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import BetterSqlite from 'better-sqlite3'
import { sqlite, type SqliteDatabase } from '../../src/adapters/sqlite/index.ts'
import { type Make, makeFrom } from '../../src/conformance/index.ts'

// Thousands of commits need not wait for the disk: that they survive a power cut is not what a case can see.
const synchronous = 'off'

/** A file in a directory of its own, gone after the case. */
const onFiles = (open: (path: string) => SqliteDatabase): Make =>
  makeFrom(() => {
    const directory = mkdtempSync(join(tmpdir(), 'thence-'))
    const path = join(directory, 'store.db')
    return {
      connect: (options) => sqlite({ ...options, synchronous, database: open(path) }),
      dispose: () => rmSync(directory, { recursive: true, force: true }),
    }
  })

export const makeNodeSqlite: Make = onFiles((path) => new DatabaseSync(path))

export const makeBetterSqlite: Make = onFiles((path) => new BetterSqlite(path))

export const makeSqliteInMemory: Make = makeFrom(() => ({
  connect: (options) => sqlite({ ...options, database: new DatabaseSync(':memory:') }),
}))
