/**
 * The one error that the order files' readers throw: what is wrong, in which line, and what to do.
 * Nothing is skipped or repaired: books that leave out a line in silence are worse than no books.
 */

export type DataErrorCode =
  | 'file-unreadable'
  | 'file-truncated'
  | 'file-corrupt'
  | 'missing-column'
  | 'malformed-row'
  | 'bad-value'
  | 'out-of-order'
  | 'inconsistent-invoice'
  | 'split-invoice'
  | 'too-many-open'

export interface DataErrorPlace {
  readonly path?: string | undefined
  /** The line of the file, counted from 1 (the header); a row over several lines ends there. */
  readonly line?: number | undefined
  readonly cause?: unknown
}

/** A file of orders that cannot be read exactly; `line` is absent when no one line is at fault. */
export class DataError extends Error {
  override readonly name = 'DataError'
  readonly code: DataErrorCode
  readonly retryable = false
  readonly path: string | undefined
  readonly line: number | undefined

  constructor(code: DataErrorCode, message: string, place: DataErrorPlace = {}) {
    const where = [place.path, place.line === undefined ? undefined : `line ${place.line}`]
    const prefix = where.filter((part) => part !== undefined).join(', ')
    const options = place.cause === undefined ? undefined : { cause: place.cause }
    super(prefix === '' ? message : `${prefix}: ${message}`, options)
    this.code = code
    this.path = place.path
    this.line = place.line
  }
}
