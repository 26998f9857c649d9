// Where the flow tests run: in memory, in SQLite's memory, in a file, and with THENCE_FLOW=postgres in PostgreSQL. A place outlives the apps that open it, so a
// test can stop an app, or lose it, and start another on the same history.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import type { AppBuilder, Database } from 'thence'
import { memory } from 'thence/memory'
import { sqlite } from 'thence/sqlite'
import type { TestApp, TestAppOptions, VirtualRuntime } from 'thence/testing'
import { testApp, virtualRuntime } from 'thence/testing'
import { onTestFinished } from 'vitest'
import { postgresPlace } from './postgres.ts'

export interface Place {
  /** Time goes on from one app to the next. */
  readonly runtime: VirtualRuntime
  /** A database on the same history each time. */
  open(): Database
}

export interface Kind {
  readonly name: string
  readonly sql: boolean
  /** A new, empty place, gone when the test is over. */
  readonly make: (seed?: number) => Place
}

/** A database that stays open when an app closes it. */
const kept = (database: Database, seed: number): Place => {
  const proxy = wrap(database, { close: async () => undefined })
  onTestFinished(() => database.close())
  return { runtime: virtualRuntime({ seed }), open: () => proxy }
}

/** The same database, but for what is given. */
export const wrap = (database: Database, own: Partial<Database>): Database => ({
  name: database.name,
  capabilities: database.capabilities,
  open: (runtime) => database.open(runtime),
  plan: () => database.plan(),
  migrate: () => database.migrate(),
  identity: () => database.identity(),
  append: (requests) => database.append(requests),
  transact: (work, options) => database.transact(work, options),
  read: (work) => database.read(work),
  close: () => database.close(),
  ...own,
})

const inFile = (seed = 1): Place => {
  const directory = mkdtempSync(join(tmpdir(), 'thence-flow-'))
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }))
  const path = join(directory, 'store.db')
  // What a power cut would take does not matter here.
  return {
    runtime: virtualRuntime({ seed }),
    open: () => sqlite({ database: new DatabaseSync(path), synchronous: 'off' }),
  }
}

const inSqlMemory = (seed = 1): Place =>
  kept(sqlite({ database: new DatabaseSync(':memory:') }), seed)

const inPostgres = (seed = 1): Place => {
  const runtime = virtualRuntime({ seed })
  const place = postgresPlace(runtime)
  onTestFinished(() => place.dispose())
  return { runtime, open: () => place.connect() }
}

const files: readonly Kind[] = [
  { name: 'memory', sql: false, make: (seed = 1) => kept(memory(), seed) },
  { name: 'sqlite in memory', sql: true, make: inSqlMemory },
  { name: 'sqlite in a file', sql: true, make: inFile },
]

/** Whether the tests run on PostgreSQL instead of what a process has by itself. */
export const onPostgres = process.env['THENCE_FLOW'] === 'postgres'

export const kinds: readonly Kind[] = onPostgres
  ? [{ name: 'postgres', sql: true, make: inPostgres }]
  : files

/** The same statement for the database of these tests: `?1` is written `$1` in PostgreSQL. */
export const sqlText = (text: string): string =>
  onPostgres ? text.replace(/\?(\d+)/g, '$$$1') : text

export const file: Kind = files[2] as Kind

/** What stands around a database of a test. */
export type Around = (one: Database, runtime: VirtualRuntime) => Database

type Build<C extends string, Q extends string> = (builder: AppBuilder) => AppBuilder<C, Q>

/** Starts an app at a place; it is stopped when the test is over at the latest. */
export const run = async <C extends string, Q extends string>(
  place: Place,
  build: Build<C, Q>,
  options: Omit<TestAppOptions, 'database'> & {
    readonly around?: Around
  } = {},
): Promise<TestApp<C, Q>> => {
  const { around = (one) => one, ...rest } = options
  const { runtime } = place
  const test = await testApp(build, { runtime, ...rest, database: around(place.open(), runtime) })
  onTestFinished(() => test.stop())
  return test
}

/** Looks into the store of a running app. */
export const look =
  (test: Pick<TestApp<never, never>, 'app'>): Database['read'] =>
  (work) =>
    test.app.database.read(work)

/** All of an async iterable. */
export const all = async <T>(items: AsyncIterable<T>): Promise<T[]> => {
  const list: T[] = []
  for await (const item of items) list.push(item)
  return list
}

/** A gate that a handler waits at until the test opens it. */
export const gate = (): { readonly opened: Promise<void>; open(): void } => {
  const { promise, resolve } = Promise.withResolvers<void>()
  return { opened: promise, open: resolve }
}
