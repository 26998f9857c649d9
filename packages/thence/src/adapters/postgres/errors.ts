/**
 * What `pg` throws, as a typed error: PostgreSQL's own errors have a code of five characters, those of the connection have
 * none or one of Node's.
 */
import { isThenceError, ThenceError } from '../../errors.ts'
import { answerMeans, type Meaning, silenceMeans } from './refusals.ts'

/** Errors of several addresses that were tried have no message of their own. */
const message = (error: unknown): string => {
  if (error instanceof AggregateError && error.message === '')
    return error.errors.map(message).join('; ')
  return error instanceof Error ? error.message : String(error)
}

/** PostgreSQL's code; undefined if the server did not speak. */
export function sqlState(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null || !('code' in error)) return undefined
  const { code } = error
  return typeof code === 'string' && /^[0-9A-Z]{5}$/.test(code) && !code.startsWith('E')
    ? code
    : undefined
}

/** The server ends, or ended, the session: whether it did what it was asked for is not told. */
const ending = new Set(['57P01', '57P02', '57P03', '57P05'])

/**
 * Whether the server broke down for lack of something or by a fault of its own. As an error that refuses one statement; as
 * anything graver it ends everything, perhaps between the writing of a commit and its answer.
 */
const isBreakdown = (state: string, error: unknown): boolean =>
  /^(?:53|58|XX)/.test(state) &&
  typeof error === 'object' &&
  error !== null &&
  'severity' in error &&
  error.severity !== 'ERROR'

/** Whether a COMMIT that failed like this may have been done. */
export function isUnknown(error: unknown): boolean {
  if (isThenceError(error)) return false
  const state = sqlState(error)
  if (state === undefined || state.startsWith('08') || ending.has(state)) return true
  return isBreakdown(state, error)
}

/** Whether the role lacks a right to what it asked for; `error` is typed. */
export const isForbidden = (error: unknown): error is ThenceError =>
  isThenceError(error, 'STORE_REFUSED') && sqlState(error.cause) === '42501'

/** Whether something of the store is missing or damaged. */
export const isCorrupt = (error: unknown): boolean => isThenceError(error, 'STORE_CORRUPT')

/** Where an id stands once: of messages, and of what is done once. */
const keysOfIds: readonly string[] = ['events_id_key', 'inbox_pkey']

/** The constraint that a statement met; undefined if the library does not tell it. */
const constraintOf = (error: object): unknown =>
  'constraint' in error ? error.constraint : Reflect.get(error, 'constraint_name')

/** Whether another was first to write the same id. In every language of the server the name stands in the text. */
const isSecond = (error: unknown): boolean => {
  if (sqlState(error) !== '23505' || typeof error !== 'object' || error === null) return false
  const constraint = constraintOf(error)
  if (typeof constraint === 'string') return keysOfIds.includes(constraint)
  return message(error)
    .split(/\W+/)
    .some((word) => keysOfIds.includes(word))
}

/**
 * Whether two waited for one another, and the server ended this one, or another was first with the same id. Nothing of it was done, and
 * it may be tried again.
 */
export const isOvertaken = (error: unknown): boolean =>
  sqlState(error) === '40P01' || isSecond(error)

const busy = 'Another transaction holds what this one needs; nothing was written. Try again.'
const missing = 'The store lacks its tables. Migrate it first.'
const forbidden =
  'The role may not do this. Let the owner of the schema run what `thence migrate --roles NAME` prints.'
const cancelled =
  'A statement ran for longer than statementTimeout, or an operator cancelled it; its transaction was rolled back.'
const full =
  'The disk of the database is full; nothing of this write was kept. Make room there: work goes on by itself.'
const crowded =
  'The server has no connection left: all processes together ask for more than max_connections (or the limit of the role or the database) ' +
  'allows. Lower max of the pools, or raise it.'
const cramped =
  'The server had no memory left for this, most often none for locks; nothing of it was kept. Raise max_locks_per_transaction of the server, or ' +
  'write less in one transaction.'
const away = 'The server starts or ends at the moment. Try again.'
const damaged = 'The database reports that its files are damaged. Restore it from a backup.'

/** Codes that mean something to us; the rest is STORE_FAILED. */
const meanings: ReadonlyMap<string, Meaning> = new Map([
  ['40P01', ['STORE_BUSY', busy]],
  ['40001', ['STORE_BUSY', busy]],
  ['55P03', ['STORE_BUSY', busy]],
  ['53100', ['STORE_FULL', full]],
  ['53200', ['STORE_FAILED', cramped]],
  ['53300', ['STORE_FAILED', crowded]],
  ['57P03', ['STORE_FAILED', away]],
  ['25006', ['STORE_READ_ONLY', 'The database can only be read: it may be a standby.']],
  ['3F000', ['STORE_NOT_MIGRATED', missing]],
  ['42P01', ['STORE_NOT_MIGRATED', missing]],
  ['42883', ['STORE_NOT_MIGRATED', missing]],
  ['42501', ['STORE_REFUSED', forbidden]],
  ['57014', ['STORE_FAILED', cancelled]],
  ['XX001', ['STORE_CORRUPT', damaged]],
  ['XX002', ['STORE_CORRUPT', damaged]],
])

const meaningOf = (state: string | undefined, error: unknown): Meaning | undefined =>
  state === undefined ? silenceMeans(error) : (answerMeans(state, error) ?? meanings.get(state))

/** The words of whoever spoke: without a code it was not the server. */
export const said = (error: unknown): string =>
  `${sqlState(error) === undefined ? 'The driver' : 'PostgreSQL'} says: ${message(error)}.`

/** The typed error for whatever was thrown; an error that is typed already stays itself. */
export function storeError(error: unknown): ThenceError {
  if (isThenceError(error)) return error
  const state = isSecond(error) ? '40001' : sqlState(error)
  const [code, text] = meaningOf(state, error) ?? ['STORE_FAILED', 'The store failed.']
  return new ThenceError(code, `${text} ${said(error)}`, { cause: error })
}

/** What is told when it cannot be told what became of a commit. */
export function unknownOutcome(error: unknown): ThenceError {
  return new ThenceError(
    'OUTCOME_UNKNOWN',
    'It is not known whether the transaction was committed: the connection was lost before the answer came. ' +
      `The same again with the same ids is safe. ${said(error)}`,
    { cause: error },
  )
}
