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
import { quotedName } from './views.ts'

const refused: ReadonlySet<string> = new Set([
  'ABORT',
  'BEGIN',
  'COMMIT',
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
interface Around {
  readonly before: readonly string[]
  readonly after: readonly string[]
}

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
    const { views } = this.#scope
    const around = views !== undefined && word === 'DROP' ? nowhereElse(views) : nothing
    return connection.alone(async (client) => {
      try {
        if (views !== undefined && !this.#scope.leads) await this.#lead(client, views)
        return await guarded(client, around, { text, values: [...parameters] })
      } catch (error) {
        const failed = sqlFailed(error)
        if (failed.code !== 'SQL_FAILED') connection.condemn(failed)
        throw failed
      }
    })
  }

  /** @throws STORE_REFUSED where names would lead past the schema without a word. */
  async #lead(client: PostgresClient, schema: string): Promise<void> {
    const results = await client.query(leadTo(schema).join('; '))
    const [, found] = Array.isArray(results) ? results : [results]
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

const guarded = async (
  client: PostgresClient,
  { before, after }: Around,
  statement: { readonly text: string; readonly values: SqlValue[] },
): Promise<PostgresResult> => {
  await client.query([`SAVEPOINT ${savepoint}`, ...before].join('; '))
  let result: PostgresResult
  try {
    result = await client.query({ ...statement, queryMode: 'extended', types })
  } catch (error) {
    if (sqlState(error) !== undefined)
      await client.query(`ROLLBACK TO ${savepoint}; RELEASE ${savepoint}`)
    throw error
  }
  await client.query([...after, `RELEASE ${savepoint}`].join('; '))
  return result
}

/** The store is sound: it is the statement that is not, so it is held against whoever wrote it. */
const sqlFailed = (error: unknown): ThenceError => {
  const state = sqlState(error)
  // Of the classes of PostgreSQL's codes those that speak of the statement and its data.
  if (state === undefined || !/^(0A|2[1-3]|2F|3|4[24]|P0)/.test(state)) return storeError(error)
  const why = error instanceof Error ? error.message : String(error)
  return new ThenceError('SQL_FAILED', `PostgreSQL refused the statement: ${why}.`, {
    cause: error,
  })
}
