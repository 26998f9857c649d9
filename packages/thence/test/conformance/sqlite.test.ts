/** The SQLite adapter on every case: on files through both drivers, and in memory. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import BetterSqlite from 'better-sqlite3'
import { sqlite, type SqliteDatabase } from '../../src/adapters/sqlite/index.ts'
import { type Make, makeFrom } from '../../src/conformance/index.ts'
import { defineConformance } from './define.ts'

// Ten thousand commits are not waited for here: that they survive a power cut is not what a case can see.
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

const inMemory = makeFrom(() => ({
  connect: (options) => sqlite({ ...options, database: new DatabaseSync(':memory:') }),
}))

defineConformance(
  'sqlite on node:sqlite',
  { sql: true, durable: true },
  onFiles((path) => new DatabaseSync(path)),
)

defineConformance(
  'sqlite on better-sqlite3',
  { sql: true, durable: true },
  onFiles((path) => new BetterSqlite(path)),
)

defineConformance('sqlite in memory', { sql: true, durable: false }, inMemory)
