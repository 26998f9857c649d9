/**
 * The one error class and the table of its codes. Every error that Thence throws on purpose is listed here with
 * whether retrying can help; docs/reference/errors.md tells the same table and a test holds the two together.
 */

/** A stable name for what went wrong; see {@link errorTable}. */
export type ErrorCode =
  | 'VALUE_NOT_STORABLE'
  | 'SCHEMA_INVALID'
  | 'SCHEMA_ASYNC'
  | 'MESSAGE_UNKNOWN'
  | 'MESSAGE_FROM_FUTURE'
  | 'MESSAGE_UNREADABLE'
  | 'MESSAGE_ID_REUSED'
  | 'NAME_INVALID'
  | 'NAME_TAKEN'
  | 'CONFIG_INVALID'
  | 'CAPABILITY_MISSING'
  | 'VERSION_CONFLICT'
  | 'STREAM_TOMBSTONED'
  | 'HISTORY_TRUNCATED'
  | 'CONDITION_FAILED'
  | 'REJECTED'
  | 'QUERY_UNANSWERED'
  | 'POSITION_TIMEOUT'
  | 'TOKEN_INVALID'
  | 'TRANSACTION_NESTED'
  | 'TRANSACTION_TIMEOUT'
  | 'CHECKPOINT_MOVED'
  | 'TIMEOUT'
  | 'REPLAY_REFUSED'
  | 'NOT_FOUND'
  | 'STATE_INVALID'
  | 'STORE_MISSING'
  | 'STORE_BUSY'
  | 'STORE_OVERLOADED'
  | 'STORE_FULL'
  | 'STORE_READ_ONLY'
  | 'STORE_CORRUPT'
  | 'STORE_TOO_NEW'
  | 'STORE_NOT_MIGRATED'
  | 'STORE_INCOMPLETE'
  | 'STORE_CLOSED'
  | 'STORE_REFUSED'
  | 'STORE_FAILED'
  | 'OUTCOME_UNKNOWN'
  | 'SQL_FAILED'
  | 'APP_STOPPED'
  | 'ABORTED'

/**
 * What helps against a failure. `transient`: time, so the whole retry policy applies. `permanent`: nothing, so the
 * message is given up at once. `bug`: only other code, so there are few attempts.
 */
export type ErrorKind = 'transient' | 'permanent' | 'bug'

export interface ErrorEntry {
  /** Whether trying the very same thing again can succeed. */
  readonly retryable: boolean
  /** What happened, in one sentence, for the table in the docs. */
  readonly summary: string
}

const entry = (retryable: boolean, summary: string): ErrorEntry => ({ retryable, summary })

/** Every code, whether a retry can help, and what it means. */
export const errorTable: Readonly<Record<ErrorCode, ErrorEntry>> = {
  VALUE_NOT_STORABLE: entry(false, 'A value cannot be stored and read back identically.'),
  SCHEMA_INVALID: entry(false, 'Data does not fit the schema of its message.'),
  SCHEMA_ASYNC: entry(false, 'A schema validates asynchronously, which a record cannot depend on.'),
  MESSAGE_UNKNOWN: entry(false, 'A message type is not registered with this app.'),
  MESSAGE_FROM_FUTURE: entry(
    false,
    'A stored message has a newer schema version than this program.',
  ),
  MESSAGE_UNREADABLE: entry(false, 'A stored message cannot be decoded or upcast.'),
  MESSAGE_ID_REUSED: entry(false, 'A message id is already taken by a different message.'),
  NAME_INVALID: entry(false, 'A name is empty, too long or holds characters that are not allowed.'),
  NAME_TAKEN: entry(false, 'Two definitions share one name.'),
  CONFIG_INVALID: entry(
    false,
    'An option or a parameter is not what it can be, or there is none of that name.',
  ),
  CAPABILITY_MISSING: entry(false, 'The database adapter does not offer what a definition needs.'),
  VERSION_CONFLICT: entry(
    true,
    'A stream was not at the expected version when the append committed.',
  ),
  STREAM_TOMBSTONED: entry(false, 'A stream was ended for good; nothing can be appended to it.'),
  HISTORY_TRUNCATED: entry(false, 'Messages that are needed were removed by retention.'),
  CONDITION_FAILED: entry(true, 'An append condition did not hold when the append committed.'),
  REJECTED: entry(false, 'A decision refused a command for a reason of the domain.'),
  QUERY_UNANSWERED: entry(false, 'No projection answers this query.'),
  POSITION_TIMEOUT: entry(true, 'A subscription did not come to the asked position in time.'),
  TOKEN_INVALID: entry(
    false,
    'A token is not one of this store, or stands for what it does not have.',
  ),
  TRANSACTION_NESTED: entry(false, 'The database was called from inside its own open transaction.'),
  TRANSACTION_TIMEOUT: entry(true, 'A transaction stayed open too long and was rolled back.'),
  CHECKPOINT_MOVED: entry(true, 'Another process moved a checkpoint; this one commits nothing.'),
  TIMEOUT: entry(true, 'A handler did not finish in time.'),
  REPLAY_REFUSED: entry(
    false,
    'A part does not say that history may be given to it again, or is not one to replay to.',
  ),
  NOT_FOUND: entry(false, 'What was named does not exist in this store.'),
  STATE_INVALID: entry(false, 'What was named is not in a state that allows this.'),
  STORE_MISSING: entry(false, 'There is no store where one was expected.'),
  STORE_BUSY: entry(true, 'Another process holds the write lock of the store for too long.'),
  STORE_OVERLOADED: entry(
    true,
    'So many appends wait for their commit in this process that no more are taken; nothing of this one was written.',
  ),
  STORE_FULL: entry(true, 'The disk of the store is full; nothing of this write was kept.'),
  STORE_READ_ONLY: entry(false, 'The store cannot be written to.'),
  STORE_CORRUPT: entry(false, 'The store file is damaged or is not a Thence store.'),
  STORE_TOO_NEW: entry(false, 'The store was migrated by a newer version of Thence.'),
  STORE_NOT_MIGRATED: entry(false, 'The store has migrations that were not applied.'),
  STORE_INCOMPLETE: entry(false, 'The store is being filled from another and is not whole yet.'),
  STORE_CLOSED: entry(false, 'The store was closed.'),
  STORE_REFUSED: entry(
    false,
    'The database does not let in who asks, or not do this: a password, a name or a right is missing or wrong.',
  ),
  STORE_FAILED: entry(
    true,
    'The database cannot be reached, or reported an error that Thence does not know.',
  ),
  OUTCOME_UNKNOWN: entry(
    true,
    'The connection was lost at the commit: it may have happened or not; the same ids again are safe.',
  ),
  SQL_FAILED: entry(false, 'The database refused a statement of your own SQL.'),
  APP_STOPPED: entry(false, 'The app was stopped or was not started.'),
  ABORTED: entry(true, 'The caller gave up by its AbortSignal.'),
}

/** Facts about an error, safe to log: names, numbers and positions, never message data. */
export type ErrorDetails = Readonly<Record<string, unknown>>

const mark: unique symbol = Symbol.for('thence.error')

/**
 * The only error class of Thence. `message` says what happened, with the values, and what to do.
 * Recognise it by {@link isThenceError}, not by `instanceof`: two copies of the package may be loaded.
 */
export class ThenceError extends Error {
  readonly code: ErrorCode
  /** Whether the very same call may succeed later. */
  readonly retryable: boolean
  readonly details: ErrorDetails

  constructor(
    code: ErrorCode,
    message: string,
    options: { readonly cause?: unknown; readonly details?: ErrorDetails } = {},
  ) {
    super(message, 'cause' in options ? { cause: options.cause } : {})
    this.name = 'ThenceError'
    this.code = code
    this.retryable = errorTable[code].retryable
    this.details = options.details ?? {}
    Object.defineProperty(this, mark, { value: true })
  }
}

/** Whether `error` was thrown by Thence (by any loaded copy of it), and, if `code` is given, with that code. */
export function isThenceError(error: unknown, code?: ErrorCode): error is ThenceError {
  try {
    if (typeof error !== 'object' || error === null || !(mark in error)) return false
    return code === undefined || ('code' in error && error.code === code)
  } catch {
    return false
  }
}

/**
 * Whether the database itself failed, so that nothing is known about the work that was tried: such an error is tried
 * again later and is never held against a message.
 */
export function isStoreFailure(error: unknown): error is ThenceError {
  if (!isThenceError(error)) return false
  return (
    error.code.startsWith('STORE_') ||
    error.code === 'OUTCOME_UNKNOWN' ||
    error.code === 'TRANSACTION_TIMEOUT' ||
    error.code === 'CHECKPOINT_MOVED'
  )
}
