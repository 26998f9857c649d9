/**
 * A user's own SQL inside the transaction; see ports/sql.ts. It refuses statements that would begin, end or leave the
 * transaction, and never rounds an integer: beyond 2^53 it arrives as a bigint. What has no type in ports/sql.ts (a
 * timestamp, a numeric, JSON) arrives as PostgreSQL's text of it; a boolean as 1 or 0, as SQLite has it. Names without a schema lead to
 * that of the store's views first.
 */
import { ThenceError } from '../../errors.ts'
import type { Sql, SqlRow, SqlValue } from '../../ports/sql.ts'
import type { PostgresClient, PostgresResult } from './driver.ts'
import { sqlState, storeError } from './errors.ts'
import type { Scope } from './scope.ts'
import { type Answered, type Asked, together } from './together.ts'
import { quotedName } from './views.ts'

const refused: ReadonlySet<string> = new Set([
  'ABORT',
  'BEGIN',
  'COMMIT',
  'COPY',
  'DEALLOCATE',
  'DISCARD',
  'END',
  'LISTEN',
  'NOTIFY',
  'PREPARE',
  'RELEASE',
  'ROLLBACK',
  'SAVEPOINT',
  'START',
  'UNLISTEN',
])
const skipped = /^(?:[\s;]+|--[^\n]*(?:\n|$)|\/\*[\s\S]*?(?:\*\/|$))*/

const invalid = (text: string): ThenceError => new ThenceError('CONFIG_INVALID', text)

/** The first word, in capitals. */
const keyword = (text: string): string =>
  /^[a-z]+/i.exec(text.replace(skipped, ''))?.[0].toUpperCase() ?? ''

const integer = (value: string): SqlValue => {
  const number = Number(value)
  return Number.isSafeInteger(number) ? number : BigInt(value)
}
const bytes = (value: string): SqlValue => new Uint8Array(Buffer.from(value.slice(2), 'hex'))
const boolean = (value: string): SqlValue => (value === 't' ? 1 : 0)
const parsers: ReadonlyMap<number, (value: string) => SqlValue> = new Map<
  number,
  (value: string) => SqlValue
>([
  [16, boolean],
  [17, bytes],
  [20, integer],
  [21, Number],
  [23, Number],
  [700, Number],
  [701, Number],
])
const asText = (value: string): SqlValue => value
const types = { getTypeParser: (type: number) => parsers.get(type) ?? asText }

const savepoint = 'thence_statement'

/** What is sent with a statement of the user's. */
type Around = Pick<Asked, 'before' | 'after'>

const literal = (text: string): string => `'${text.replaceAll("'", "''")}'`

/** To the end of the transaction, or of a savepoint: names lead to the schema first, and then to where they led before. */
const leadTo = (schema: string): readonly string[] => [
  `SELECT set_config('search_path', rtrim(${literal(`${quotedName(schema)}, `)} || current_setting('search_path'), ', '), true)`,
  'SELECT current_schema() AS schema',
]

/** What drops looks nowhere else: with IF EXISTS it would go on to a table of the same name that is somebody else's. */
const nowhereElse = (schema: string): Around => ({
  before: [
    "SELECT set_config('thence_store.path', current_setting('search_path'), true)",
    `SELECT set_config('search_path', ${literal(quotedName(schema))}, true)`,
  ],
  after: ["SELECT set_config('search_path', current_setting('thence_store.path'), true)"],
})
const nothing: Around = { before: [], after: [] }

export class PostgresSql implements Sql {
  readonly #scope: Scope

  constructor(scope: Scope) {
    this.#scope = scope
  }

  async run(text: string, ...parameters: readonly SqlValue[]): Promise<number> {
    this.#scope.change()
    return (await this.#tried(text, parameters)).rowCount ?? 0
  }

  async all(text: string, ...parameters: readonly SqlValue[]): Promise<readonly SqlRow[]> {
    this.#scope.use()
    return (await this.#tried(text, parameters)).rows as SqlRow[]
  }

  /** PostgreSQL gives a transaction up when a statement fails; the savepoint keeps it sound. */
  #tried(text: string, parameters: readonly SqlValue[]): Promise<PostgresResult> {
    const word = keyword(text)
    if (refused.has(word))
      throw invalid(`${word} is not possible inside a transaction that Thence runs. Remove it.`)
    if (word === '') throw invalid('The SQL text holds no statement.')
    const connection = this.#scope.use()
    return connection.alone(async (client) => {
      try {
        return await this.#guarded(client, word, { text, values: [...parameters], types })
      } catch (error) {
        const failed = storeError(error)
        if (failed.code !== 'SQL_FAILED') connection.condemn(failed)
        throw failed
      }
    })
  }

  async #guarded(
    client: PostgresClient,
    word: string,
    statement: Asked['statement'],
  ): Promise<PostgresResult> {
    const { views, leads } = this.#scope
    const path = views === undefined || leads ? [] : leadTo(views)
    const around = views !== undefined && word === 'DROP' ? nowhereElse(views) : nothing
    const { before, outcome } = await together(client, {
      before: [...path, `SAVEPOINT ${savepoint}`, ...around.before],
      statement,
      after: [...around.after, `RELEASE ${savepoint}`],
    })
    if (views !== undefined && path.length > 0) this.#led(before, views)
    if ('result' in outcome) return outcome.result
    if (sqlState(outcome.error) !== undefined)
      await client.query(`ROLLBACK TO ${savepoint}; RELEASE ${savepoint}`)
    throw sqlFailed(outcome.error)
  }

  /** @throws STORE_REFUSED where names lead past the schema, which they do without a word. */
  #led([, found]: Answered['before'], schema: string): void {
    const row = found?.rows[0] as { readonly schema: string | null } | undefined
    if (row?.schema !== schema) throw hidden(schema)
    this.#scope.leads = true
  }
}

const hidden = (schema: string): ThenceError =>
  new ThenceError(
    'STORE_REFUSED',
    `The schema ${quotedName(schema)}, in which the store has the tables of views, is not there or the role may not use it. Let its owner ` +
      'run what `thence migrate --roles NAME` prints, or --reader NAME for a role that looks.',
    { details: { schema } },
  )

/** The store is sound: it is the statement that is not, so it is held against whoever wrote it. */
const sqlFailed = (error: unknown): ThenceError => {
  const state = sqlState(error)
  // Of PostgreSQL's codes those that speak of the statement and its data; 08P01 if it has more parameters than were given, or fewer.
  if (state === undefined || !/^(08P01|0A|2[1-3]|2F|3|4[24]|P0)/.test(state))
    return storeError(error)
  const why = error instanceof Error ? error.message : String(error)
  return new ThenceError('SQL_FAILED', `PostgreSQL refused the statement: ${why}.`, {
    cause: error,
  })
}
