/** The SQLite adapter on every case: on files through both drivers, and in memory. */
import { defineConformance } from './define.ts'
import { makeBetterSqlite, makeNodeSqlite, makeSqliteInMemory } from './stores.ts'

defineConformance(
  'sqlite on node:sqlite',
  { sql: true, durable: true, shared: true, notifies: false, remote: false },
  makeNodeSqlite,
)
defineConformance(
  'sqlite on better-sqlite3',
  { sql: true, durable: true, shared: true, notifies: false, remote: false },
  makeBetterSqlite,
)
defineConformance(
  'sqlite in memory',
  { sql: true, durable: false, shared: false, notifies: false, remote: false },
  makeSqliteInMemory,
)
