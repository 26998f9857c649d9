/**
 * A user's own SQL inside the transaction; see ports/sql.ts. It refuses statements that would begin, end or leave the
 * transaction, and never rounds an integer: beyond 2^53 it arrives as a bigint.
 */
import { ThenceError } from '../../errors.ts'
import type { Sql, SqlRow, SqlValue } from '../../ports/sql.ts'
import type { Connection } from './connection.ts'
import type { SqliteStatement, SqliteValue } from './driver.ts'
import type { Scope } from './scope.ts'

const refused: ReadonlySet<string> = new Set([
  'BEGIN',
  'COMMIT',
  'ROLLBACK',
  'SAVEPOINT',
  'RELEASE',
  'END',
  'ATTACH',
  'DETACH',
  'PRAGMA',
  'VACUUM',
])
const changing: ReadonlySet<string> = new Set(['INSERT', 'UPDATE', 'DELETE', 'REPLACE'])
const showing: ReadonlySet<string> = new Set(['SELECT', 'VALUES', 'EXPLAIN'])
const skipped = /^(?:[\s;]+|--[^\n]*(?:\n|$)|\/\*[\s\S]*?(?:\*\/|$))*/
const severalStatements = 'The SQL text holds more than one statement. Run them one by one.'
const totalChanges = 'SELECT total_changes()'

const invalid = (text: string): ThenceError => new ThenceError('CONFIG_INVALID', text)

/** The first word, in capitals. */
const keyword = (text: string): string =>
  /^[a-z]+/i.exec(text.replace(skipped, ''))?.[0].toUpperCase() ?? ''

/** node:sqlite compiles the first statement and ignores the others; that must not pass unnoticed. */
const checkSingle = (text: string, statement: SqliteStatement): void => {
  const compiled = statement.sourceSQL
  if (compiled === undefined) return
  const start = text.indexOf(compiled)
  if (start >= 0 && text.slice(start + compiled.length).replace(skipped, '') !== '')
    throw invalid(severalStatements)
}

const exact = (value: unknown): SqlValue =>
  typeof value === 'bigint' && Number.isSafeInteger(Number(value))
    ? Number(value)
    : (value as SqlValue)

const toRow = (row: unknown): SqlRow => {
  const values: Record<string, SqlValue> = Object.create(null) as Record<string, SqlValue>
  for (const name of Object.keys(row as object))
    values[name] = exact((row as Record<string, unknown>)[name])
  return values
}

export class SqliteSql implements Sql {
  readonly #scope: Scope

  constructor(scope: Scope) {
    this.#scope = scope
  }

  run(text: string, ...parameters: readonly SqlValue[]): number {
    const connection = this.#scope.change()
    const word = this.#check(text)
    return this.#guarded(connection, () => {
      const statement = this.#statement(connection, text)
      const before = changing.has(word) ? undefined : this.#changes(connection)
      const changes =
        statement.reader === true
          ? this.#drain(connection, statement, parameters)
          : Number(statement.run(...(parameters as SqliteValue[])).changes)
      // A statement that changes nothing leaves SQLite's counter at the one before.
      return before === undefined || before !== this.#changes(connection) ? changes : 0
    })
  }

  all(text: string, ...parameters: readonly SqlValue[]): readonly SqlRow[] {
    const connection = this.#scope.use()
    const word = this.#check(text)
    const unsure = !this.#scope.writes && !showing.has(word)
    if (unsure && changing.has(word)) this.#scope.change()
    return this.#guarded(connection, () => {
      const statement = this.#statement(connection, text)
      const before = unsure ? this.#changes(connection) : undefined
      const rows =
        statement.reader === false
          ? (statement.run(...(parameters as SqliteValue[])), [])
          : statement.all(...(parameters as SqliteValue[])).map(toRow)
      if (before !== undefined && before !== this.#changes(connection)) this.#scope.change()
      return rows
    })
  }

  #check(text: string): string {
    const word = keyword(text)
    if (refused.has(word))
      throw invalid(`${word} is not possible inside a transaction that Thence runs. Remove it.`)
    if (word === '') throw invalid('The SQL text holds no statement.')
    return word
  }

  #statement(connection: Connection, text: string): SqliteStatement {
    // Whoever writes to Thence's own tables may move the end of the log.
    if (this.#scope.writes && /thence_/i.test(text)) this.#scope.tail.forget()
    try {
      return connection.userStatement(text, (statement) => checkSingle(text, statement))
    } catch (error) {
      // What better-sqlite3 says by itself.
      throw /more than one statement/.test(String(error)) ? invalid(severalStatements) : error
    }
  }

  /** better-sqlite3 wants rows with RETURNING to be fetched. */
  #drain(
    connection: Connection,
    statement: SqliteStatement,
    parameters: readonly SqlValue[],
  ): number {
    statement.all(...(parameters as SqliteValue[]))
    return connection.get<[number]>('SELECT changes()')![0]
  }

  #changes(connection: Connection): number {
    return connection.get<[number]>(totalChanges)![0]
  }

  #guarded<T>(connection: Connection, work: () => T): T {
    try {
      return work()
    } catch (error) {
      const failed = connection.failed(error)
      // The store is sound: it is the statement that is not, so it is held against whoever wrote it.
      if (failed.code !== 'STORE_FAILED' || connection.doom !== undefined) throw failed
      const why = error instanceof Error ? error.message : String(error)
      throw new ThenceError('SQL_FAILED', `SQLite refused the statement: ${why}.`, { cause: error })
    }
  }
}
