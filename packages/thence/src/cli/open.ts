/**
 * Opens the store that the command was told of: never creates a file, and reads through a connection that cannot write.
 */
import { accessSync, constants, statSync } from 'node:fs'
import { resolve } from 'node:path'
import type { DatabaseSync } from 'node:sqlite'
import { pathToFileURL } from 'node:url'
import { sqlite } from 'thence/sqlite'
import { systemRuntime } from '../app/system-runtime.ts'
import { ThenceError } from '../errors.ts'
import type { Database } from '../ports/database.ts'
import { usage } from './exit-code.ts'
import type { Still } from './still.ts'
import { stillOf } from './still.ts'

/** `migrate` is the only one that takes a store as it is. */
export type Mode = 'read' | 'write' | 'plan' | 'migrate'

/** The file of `--db` or of the environment. */
export function fileOf(db: string | undefined): string {
  const file = db ?? process.env['THENCE_DB']
  if (file !== undefined && file !== '') return file
  throw usage('Which store? Give --db FILE, or set THENCE_DB.')
}

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
const loadDriver = async (): Promise<{ readonly DatabaseSync: typeof DatabaseSync }> => {
  const emitWarning = process.emitWarning.bind(process)
  process.emitWarning = () => undefined
  try {
    return await import('node:sqlite')
  } finally {
    process.emitWarning = emitWarning
  }
}

interface Connected {
  readonly database: Database
  /** Set if it is read as a file that does not change. */
  readonly still: Still | undefined
}

const connect = async (file: string, mode: Mode): Promise<Connected> => {
  const { DatabaseSync } = await loadDriver()
  const url = pathToFileURL(resolve(file))
  if (mode === 'read' || mode === 'plan') {
    const still = stillOf(file)
    url.searchParams.set('immutable', '1')
    const place = still === undefined ? resolve(file) : url
    return { database: sqlite({ database: new DatabaseSync(place, { readOnly: true }) }), still }
  }
  // In this mode SQLite opens a file that is there, and makes none.
  url.searchParams.set('mode', 'rw')
  return { database: sqlite({ database: new DatabaseSync(url) }), still: undefined }
}

/**
 * @throws STORE_MISSING, STORE_CORRUPT, STORE_TOO_NEW, STORE_NOT_MIGRATED, STORE_BUSY, STORE_READ_ONLY, STORE_FAILED
 */
export async function openStore(file: string, mode: Mode): Promise<Connected> {
  checkFile(file)
  const connected = await connect(file, mode)
  const { database } = connected
  try {
    await database.open(systemRuntime())
    if (mode === 'read' || mode === 'write') await requireMigrated(database)
    return connected
  } catch (error) {
    await database.close()
    throw error
  }
}

const requireMigrated = async (database: Database): Promise<void> => {
  const { current, pending } = await database.plan()
  if (pending.length === 0) return
  throw new ThenceError(
    'STORE_NOT_MIGRATED',
    current === 0
      ? 'The file has no tables of Thence. If it is to become a store, run: thence migrate'
      : `The store lacks ${pending.length} migrations of this version. Look at them with ` +
          '`thence migrate --dry-run`, then run: thence migrate',
  )
}

/** Of the file and of what SQLite keeps beside it. */
export function sizeOf(file: string): number {
  const sizes = [file, `${file}-wal`].map((one) => statSync(one, { throwIfNoEntry: false })?.size)
  return sizes.reduce<number>((total, size) => total + (size ?? 0), 0)
}
