/**
 * Opens the store that the command was told of: never creates one, and reads a file through a connection that cannot write, unless it is to be held.
 */
import { accessSync, constants, statSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join, resolve } from 'node:path'
import type { DatabaseSync } from 'node:sqlite'
import { pathToFileURL } from 'node:url'
import type { PostgresPool } from 'thence/postgres'
import { postgres } from 'thence/postgres'
import { sqlite } from 'thence/sqlite'
import { systemRuntime } from '../app/system-runtime.ts'
import { ThenceError } from '../errors.ts'
import type { Database } from '../ports/database.ts'
import type { Place, ServerPlace } from './place.ts'
import type { Still } from './still.ts'
import { stillOf } from './still.ts'

/**
 * `plan` and `migrate` take a store as it is, and so does `fill`, which makes a file that is not there. `hold` reads, and keeps others from
 * writing if this user may write.
 */
export type Mode = 'read' | 'hold' | 'write' | 'plan' | 'migrate' | 'fill'

const checkFile = (file: string): void => {
  const found = statSync(file, { throwIfNoEntry: false })
  if (found === undefined)
    throw new ThenceError(
      'STORE_MISSING',
      `There is no file ${resolve(file)}. Check --db and the directory you are in; an app makes its store at its first ` +
        'start, and `thence migrate` makes one of an empty file.',
    )
  if (!found.isFile())
    throw new ThenceError(
      'STORE_CORRUPT',
      `${resolve(file)} is not a file. Give the file of the store.`,
    )
  try {
    accessSync(file, constants.R_OK)
  } catch (cause) {
    throw new ThenceError('STORE_FAILED', `${resolve(file)} may not be read by this user.`, {
      cause,
    })
  }
}

/** The driver prints a warning on the node versions where it is new; that says nothing about the store. */
const loadSqlite = async (): Promise<{ readonly DatabaseSync: typeof DatabaseSync }> => {
  const emitWarning = process.emitWarning.bind(process)
  process.emitWarning = () => undefined
  try {
    return await import('node:sqlite')
  } finally {
    process.emitWarning = emitWarning
  }
}

/** What is used of `pg`. */
export interface PostgresDriver {
  readonly Pool: new (options: object) => PostgresPool
  /** One connection, for what goes on beside a store. */
  readonly Client: new (options: object) => {
    connect(): Promise<unknown>
    query(text: string, values?: unknown[]): Promise<{ readonly rows: object[] }>
    end(): Promise<void>
    on(event: 'error', listener: (error: Error) => void): unknown
  }
}

/** The driver is the user's: that of the project in which the command is run, or beside which Thence is installed. */
export const loadPostgres = async (): Promise<PostgresDriver> => {
  for (const from of [join(process.cwd(), 'thence'), import.meta.filename]) {
    let path: string
    try {
      path = createRequire(from).resolve('pg')
    } catch {
      continue
    }
    const { default: driver } = (await import(pathToFileURL(path).href)) as {
      default: PostgresDriver
    }
    return driver
  }
  throw new ThenceError(
    'CONFIG_INVALID',
    `A store on PostgreSQL needs the library pg, which is not installed in ${process.cwd()}. Run: npm install pg`,
  )
}

interface Connected {
  readonly database: Database
  /** Set if it is read as a file that does not change. */
  readonly still: Still | undefined
}

const mayWrite = (file: string): boolean => {
  try {
    for (const path of [file, dirname(resolve(file))]) accessSync(path, constants.W_OK)
    return true
  } catch {
    return false
  }
}

const connectFile = async (file: string, mode: Mode): Promise<Connected> => {
  const { DatabaseSync } = await loadSqlite()
  const url = pathToFileURL(resolve(file))
  if (mode === 'read' || mode === 'plan' || (mode === 'hold' && !mayWrite(file))) {
    const still = stillOf(file)
    url.searchParams.set('immutable', '1')
    const place = still === undefined ? resolve(file) : url
    return { database: sqlite({ database: new DatabaseSync(place, { readOnly: true }) }), still }
  }
  // `rw` opens a file that is there, and makes none.
  url.searchParams.set('mode', mode === 'fill' ? 'rwc' : 'rw')
  return { database: sqlite({ database: new DatabaseSync(url) }), still: undefined }
}

/** How long a person waits for a server that does not answer, in milliseconds. */
const patience = 10_000

const connectServer = async ({ url, schema, views, order }: ServerPlace): Promise<Connected> => {
  const { Pool } = await loadPostgres()
  const pool = new Pool({
    connectionString: url,
    application_name: 'thence-command',
    max: 4,
    keepAlive: true,
    connectionTimeoutMillis: patience,
  })
  const named = {
    ...(schema !== undefined && { schema }),
    ...(views !== undefined && { views }),
    ...(order !== undefined && { order }),
  }
  return { database: postgres({ pool, ...named }), still: undefined }
}

/**
 * @throws STORE_MISSING, STORE_CORRUPT, STORE_TOO_NEW, STORE_NOT_MIGRATED, STORE_BUSY, STORE_READ_ONLY, STORE_FAILED
 */
export async function openStore(place: Place, mode: Mode): Promise<Connected> {
  if (place.kind === 'file' && mode !== 'fill') checkFile(place.file)
  const connected =
    place.kind === 'file' ? await connectFile(place.file, mode) : await connectServer(place)
  const { database } = connected
  try {
    await database.open(systemRuntime())
    if (mode === 'read' || mode === 'hold' || mode === 'write') await requireMigrated(database)
    return connected
  } catch (error) {
    await database.close()
    throw error
  }
}

const requireMigrated = async (database: Database): Promise<void> => {
  const { current, pending } = await database.plan()
  // Which is refused while the store is filled from another.
  if (pending.length === 0) return void (await database.identity())
  throw new ThenceError(
    'STORE_NOT_MIGRATED',
    current === 0
      ? 'There are no tables of Thence. If it is to become a store, run: thence migrate'
      : `The store lacks ${pending.length} migrations of this version. Look at them with ` +
          '`thence migrate --dry-run`, then run: thence migrate',
  )
}

/** Of the file and of what SQLite keeps beside it. */
export function sizeOf(file: string): number {
  const sizes = [file, `${file}-wal`].map((one) => statSync(one, { throwIfNoEntry: false })?.size)
  return sizes.reduce<number>((total, size) => total + (size ?? 0), 0)
}
