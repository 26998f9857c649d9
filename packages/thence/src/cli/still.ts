/**
 * A store in a directory that this user may not write to. SQLite reads a write-ahead log by files beside the store, which it
 * cannot make there; but a store that nobody has open has none of them, and can be read as a file that does not change.
 */
import { accessSync, closeSync, constants, openSync, readSync, statSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { ThenceError } from '../errors.ts'

/** A store that is read as a file that does not change. */
export interface Still {
  /** @throws STORE_BUSY if it has changed after all: what was read may be torn. */
  readonly check: () => void
}

const mayWriteTo = (directory: string): boolean => {
  try {
    accessSync(directory, constants.W_OK)
    return true
  } catch {
    return false
  }
}

/** SQLite's file format: bytes 18 and 19 of the header are 2 where it has a write-ahead log. */
const hasLog = (file: string): boolean => {
  const header = Buffer.alloc(20)
  const open = openSync(file, 'r')
  try {
    readSync(open, header)
  } finally {
    closeSync(open)
  }
  return header[18] === 2 && header[19] === 2
}

const sizeOf = (file: string): number | undefined => statSync(file, { throwIfNoEntry: false })?.size

/** What changes when somebody writes, or opens it to write. */
const traceOf = (file: string): string => {
  const { size, mtimeMs, ino } = statSync(file)
  return [size, mtimeMs, ino, sizeOf(`${file}-wal`), sizeOf(`${file}-shm`)].join()
}

/**
 * Whether the file is to be read as one that does not change; undefined: SQLite can read it as any other.
 * @throws STORE_READ_ONLY if what was written last can only be read by a user who may write.
 */
export function stillOf(path: string): Still | undefined {
  const file = resolve(path)
  if (mayWriteTo(dirname(file)) || !hasLog(file)) return undefined
  // Somebody has it open, and so it can be read along with them.
  if (sizeOf(`${file}-shm`) !== undefined) return undefined
  if ((sizeOf(`${file}-wal`) ?? 0) > 0)
    throw new ThenceError(
      'STORE_READ_ONLY',
      `${file} was not closed: its last writes are in ${file}-wal, and only a user who may write to the directory can ` +
        'read them. Run this as such a user, or copy both files to a directory of your own and look there.',
    )
  const before = traceOf(file)
  return {
    check: () => {
      if (traceOf(file) === before) return
      throw new ThenceError(
        'STORE_BUSY',
        `${file} was opened or written by another process while it was read, so this may be torn. Run it again.`,
      )
    },
  }
}

/** What is still cannot be watched. */
export const cannotWatch = (file: string): ThenceError =>
  new ThenceError(
    'STORE_READ_ONLY',
    `${resolve(file)} is in a directory that this user may not write to, and nobody has it open, so that nothing can be ` +
      'seen to change. Look once, without watching, or run this as a user who may write to the directory.',
  )
