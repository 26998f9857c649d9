/**
 * A connection made of a transaction that a library of the user's holds. Libraries differ in how they send and read numbers, dates,
 * arrays and JSON, so nothing but text passes: values as text with their type in the statement, rows as one text of JSON.
 */
import { ThenceError } from '../../errors.ts'
import type { OwnTransaction } from '../../ports/database.ts'
import type { PostgresClient, PostgresQuery, PostgresResult, PostgresValue } from './driver.ts'

/** All rows of a statement, each as an array of its columns. By their order: columns may have no name, or one name twice. */
const answer =
  'SELECT coalesce(json_agg((SELECT json_agg(value ORDER BY ordinality) ' +
  "FROM json_each(row_to_json(own)) WITH ORDINALITY)), '[]')::text AS answer FROM own"

const listOf = (parameter: string, values: readonly (string | number)[]): string => {
  const element = values.every((value) => typeof value === 'number') ? 'bigint' : 'text'
  return `ARRAY(SELECT value::${element} FROM jsonb_array_elements_text(${parameter}::text::jsonb))`
}

interface Sent {
  /** What stands in the statement. */
  readonly text: string
  readonly value: string
}

const sentOf = (parameter: string, value: Exclude<PostgresValue, null>): Sent => {
  if (typeof value === 'string') return { text: `${parameter}::text`, value }
  if (value instanceof Uint8Array)
    return { text: `decode(${parameter}::text, 'hex')`, value: Buffer.from(value).toString('hex') }
  if (typeof value === 'object')
    return { text: listOf(parameter, value), value: JSON.stringify(value) }
  if (typeof value === 'boolean')
    return { text: `${parameter}::text::boolean`, value: String(value) }
  const isWhole = typeof value === 'bigint' || Number.isInteger(value)
  return { text: `${parameter}::text::${isWhole ? 'bigint' : 'float8'}`, value: String(value) }
}

/** A statement that takes texts and gives one row with one column, `answer`. */
const asText = (
  text: string,
  values: readonly PostgresValue[],
): { readonly text: string; readonly values: readonly string[] } => {
  const sent: string[] = []
  // A value that is used twice is sent twice: not every library counts its parameters.
  const typed = text.replaceAll(/\$(\d+)/g, (_, number: string) => {
    const value = values[Number(number) - 1] ?? null
    if (value === null) return 'NULL'
    // Of what it is an empty list, the statement says.
    if (Array.isArray(value) && value.length === 0) return "'{}'"
    const one = sentOf(`$${sent.length + 1}`, value)
    sent.push(one.value)
    return `(${one.text})`
  })
  const isChange = /^(?:INSERT|UPDATE|DELETE)\b/.test(text)
  const counted = isChange && !/\bRETURNING\b/.test(text) ? `${typed} RETURNING 1` : typed
  return { text: `WITH own AS (${counted}) ${answer}`, values: sent }
}

/** What a library has to give: rows that are objects. */
const textIn = ([row]: readonly unknown[], library: string): string => {
  const value = typeof row === 'object' && row !== null && 'answer' in row ? row.answer : undefined
  if (typeof value === 'string') return value
  throw new ThenceError(
    'CONFIG_INVALID',
    `The transaction of ${library} did not give the rows of a statement as objects with texts. ` +
      'Hand over what the library gives to the work of its transaction.',
  )
}

export class OwnClient implements PostgresClient {
  readonly #own: OwnTransaction

  constructor(own: OwnTransaction) {
    this.#own = own
  }

  async query(query: PostgresQuery | string): Promise<PostgresResult> {
    if (typeof query === 'string') {
      await this.#own.query(query, [])
      return { command: '', rowCount: null, rows: [] }
    }
    if (/^(?:SAVEPOINT|RELEASE|ROLLBACK TO) /.test(query.text)) return this.query(query.text)
    const { text, values } = asText(query.text, query.values)
    const found = textIn(await this.#own.query(text, values), this.#own.library)
    const rows = JSON.parse(found) as unknown[]
    return { command: '', rowCount: rows.length, rows }
  }

  /** The user's library watches its connection. */
  on(): void {}

  off(): void {}

  /** The user's library has it on. */
  release(): void {}
}
