// Stores to copy from and to: a file of SQLite, and a schema in PostgreSQL.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import type { Database } from 'thence'
import { memory } from 'thence/memory'
import type { PostgresOptions } from 'thence/postgres'
import { sqlite } from 'thence/sqlite'
import type { VirtualRuntime } from 'thence/testing'
import { virtualRuntime } from 'thence/testing'
import { onTestFinished } from 'vitest'
import { writeEverything } from '../../src/conformance/everything.ts'
import { message } from '../../src/conformance/samples.ts'
import type { Copying } from '../../src/ports/copying.ts'
import { postgresPlace } from '../kit/postgres.ts'

let made = 0
/** Ids of different stores differ. */
const ownRuntime = (): VirtualRuntime => virtualRuntime({ seed: (made += 1) })

/** A store that outlives the databases that are opened on it. */
export interface Kept {
  readonly runtime: VirtualRuntime
  connect(): Database
  /** Opened and migrated, until the test is over. */
  open(): Promise<Database>
  /** Runs SQL beside the store; tables are named without what the adapter puts before them. */
  change(text: (table: (name: string) => string) => string): Promise<void>
}

const openOf = (connect: () => Database, runtime: VirtualRuntime) => async () => {
  const database = connect()
  await database.open(runtime)
  onTestFinished(() => database.close())
  await database.migrate()
  return database
}

const inFile = (): Kept => {
  const folder = mkdtempSync(join(tmpdir(), 'thence-copy-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  const path = join(folder, 'store.db')
  const runtime = ownRuntime()
  const connect = () => sqlite({ database: new DatabaseSync(path), synchronous: 'off' })
  return {
    runtime,
    connect,
    open: openOf(connect, runtime),
    async change(text) {
      using database = new DatabaseSync(path)
      database.exec(text((name) => `thence_${name}`))
    },
  }
}

const inPostgres = (options?: Pick<PostgresOptions, 'order'>): Kept => {
  const runtime = ownRuntime()
  const place = postgresPlace(runtime)
  onTestFinished(() => place.dispose())
  const connect = () => place.connect(options)
  return {
    runtime,
    connect,
    open: openOf(connect, runtime),
    async change(text) {
      const pool = place.pool()
      await pool.query(text((name) => name))
      await pool.end()
    },
  }
}

export const stores: Readonly<Record<'sqlite' | 'postgres' | 'concurrent', () => Kept>> = {
  sqlite: inFile,
  postgres: inPostgres,
  concurrent: () => inPostgres({ order: 'concurrent' }),
}

/** From and to what is copied. */
export const ways = [
  ['sqlite', 'postgres'],
  ['postgres', 'sqlite'],
  ['sqlite', 'sqlite'],
  ['postgres', 'postgres'],
] as const

/** The same, with stores in PostgreSQL whose positions have gaps. */
export const waysWithGaps = [
  ['sqlite', 'concurrent'],
  ['concurrent', 'sqlite'],
] as const

export const forgetful = async (): Promise<Database> => {
  const database = memory()
  await database.open(ownRuntime())
  return database
}

/** The same, but for what is given. */
export const wrapCopying = (copying: Copying, own: Partial<Copying>): Copying => ({
  filling: () => copying.filling(),
  begin: (source) => copying.begin(source),
  end: () => copying.end(),
  count: (table) => copying.count(table),
  lastKey: (table) => copying.lastKey(table),
  rows: (table, options) => copying.rows(table, options),
  write: (table, rows) => copying.write(table, rows),
  clear: (table) => copying.clear(table),
  hold: (work) => copying.hold(work),
  ...own,
})

/** Something in every table, by processes that have left; the log is longer than one page. */
export async function fill(database: Database): Promise<void> {
  for (const name of ['a', 'ü "\\ 漢'])
    await database.transact((transaction) => writeEverything(transaction, name))
  const messages = Array.from({ length: 2100 }, (_, index) =>
    message(`long ${index}`, { tags: [`tag ${index % 7}`, 'every'] }),
  )
  await database.append([{ stream: 'long', messages }])
  await leave(database)
}

/** Nobody runs on it any more. */
export const leave = (database: Database): Promise<void> =>
  database.transact(async ({ leases }) => {
    for (const { id } of await leases.members()) await leases.leave(id)
  })
