/**
 * What a driver throws, as a typed error. node:sqlite gives SQLite's number in `errcode`, better-sqlite3 its name in
 * `code`; both are understood without importing either.
 */
import { isThenceError, ThenceError } from '../../errors.ts'

/** SQLite's primary result codes that mean something to us; the rest is STORE_FAILED. */
const names: ReadonlyMap<number, string> = new Map([
  [1, 'ERROR'],
  [5, 'BUSY'],
  [6, 'LOCKED'],
  [8, 'READONLY'],
  [10, 'IOERR'],
  [11, 'CORRUPT'],
  [13, 'FULL'],
  [14, 'CANTOPEN'],
  [18, 'TOOBIG'],
  [19, 'CONSTRAINT'],
  [20, 'MISMATCH'],
  [25, 'RANGE'],
  [26, 'NOTADB'],
])

/** No room for the shared-memory file: SQLite's documentation names a full disk as the cause. */
const sharedMemoryFull = 4874

const field = (error: unknown, name: string): unknown =>
  typeof error === 'object' && error !== null ? (error as Record<string, unknown>)[name] : undefined

const message = (error: unknown): string => (error instanceof Error ? error.message : String(error))

/** The name of the primary result code, without the prefix `SQLITE_`; undefined if SQLite did not speak. */
const resultName = (error: unknown): string | undefined => {
  const number = field(error, 'errcode')
  if (typeof number === 'number')
    return number === sharedMemoryFull ? 'FULL' : (names.get(number & 0xff) ?? 'OTHER')
  const code = field(error, 'code')
  if (typeof code !== 'string' || !code.startsWith('SQLITE_')) return undefined
  return code === 'SQLITE_IOERR_SHMSIZE' ? 'FULL' : code.split('_')[1]
}

/** Whether a row was refused because another has the same key. */
export function isUniqueViolation(error: unknown): boolean {
  const number = field(error, 'errcode')
  if (typeof number === 'number') return number === 2067 || number === 1555
  const code = field(error, 'code')
  return code === 'SQLITE_CONSTRAINT_UNIQUE' || code === 'SQLITE_CONSTRAINT_PRIMARYKEY'
}

/** Whether a transaction is sound after this error: only its one statement was undone. */
export function isHarmless(error: unknown): boolean {
  const name = resultName(error)
  return name === undefined || ['ERROR', 'CONSTRAINT', 'MISMATCH', 'RANGE', 'TOOBIG'].includes(name)
}

/**
 * Whether a COMMIT that failed like this, and after which no transaction is open, has left nothing in the file. `FULL`:
 * the mark of the commit is in the last thing that is written, and that was not written. Any other error may come after
 * it: when the file is synced, or when the index of the log is extended.
 */
export function isUndone(error: unknown): boolean {
  if (field(error, 'errcode') === sharedMemoryFull) return false
  if (field(error, 'code') === 'SQLITE_IOERR_SHMSIZE') return false
  const name = resultName(error)
  return name !== undefined && ['BUSY', 'LOCKED', 'CONSTRAINT', 'FULL'].includes(name)
}

const says = (error: unknown): string => `SQLite says: ${message(error)}.`

const typed = (error: unknown): ThenceError => {
  const make = (code: ConstructorParameters<typeof ThenceError>[0], text: string): ThenceError =>
    new ThenceError(code, `${text} ${says(error)}`, { cause: error })
  switch (resultName(error)) {
    case 'BUSY':
    case 'LOCKED':
      return make(
        'STORE_BUSY',
        'Another connection holds the lock of the store; nothing was written. Try again.',
      )
    case 'FULL':
      return make(
        'STORE_FULL',
        'There is no space left for the store; nothing of this write was kept. Free some.',
      )
    case 'READONLY':
    case 'CANTOPEN':
      return make(
        'STORE_READ_ONLY',
        'The store cannot be opened for writing. Check the file and its directory.',
      )
    case 'CORRUPT':
    case 'NOTADB':
      return make(
        'STORE_CORRUPT',
        'The store file is damaged or is no SQLite database. Restore it from a backup.',
      )
    default:
      return otherwise(error, make)
  }
}

const otherwise = (
  error: unknown,
  make: (code: 'STORE_CLOSED' | 'STORE_NOT_MIGRATED' | 'STORE_FAILED', text: string) => ThenceError,
): ThenceError => {
  const text = message(error)
  if (/database( connection)? is not open|statement has been finalized/i.test(text))
    return make('STORE_CLOSED', 'The connection of the store was closed.')
  if (/no such table: (main\.)?thence_/.test(text))
    return make('STORE_NOT_MIGRATED', 'The store lacks its tables. Migrate it first.')
  return make('STORE_FAILED', 'The store failed.')
}

/** The typed error for whatever was thrown; an error that is typed already stays itself. */
export function storeError(error: unknown): ThenceError {
  return isThenceError(error) ? error : typed(error)
}

/** What is told when a COMMIT failed and what became of it cannot be told. */
export function unknownOutcome(error: unknown): ThenceError {
  return new ThenceError(
    'OUTCOME_UNKNOWN',
    'It is not known whether the transaction was committed: COMMIT failed where it may have reached the file. ' +
      `The same again with the same ids is safe. ${says(error)}`,
    { cause: error },
  )
}
