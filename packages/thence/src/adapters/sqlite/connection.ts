/**
 * One driver connection with its prepared statements: each text is compiled once, rows are arrays, errors are typed.
 * It notices when SQLite gave up the open transaction by itself, so that nothing is ever written outside of one.
 */
import type { ThenceError } from '../../errors.ts'
import type { SqliteDatabase, SqliteStatement, SqliteValue } from './driver.ts'
import { isHarmless, isUndone, storeError, unknownOutcome } from './errors.ts'

/** How many different texts of users' SQL stay compiled. */
const userStatements = 256

const asArray = (row: unknown): unknown[] =>
  Array.isArray(row) ? row : Object.values(row as object)

const asArrays = (rows: unknown[]): unknown[] =>
  rows.length === 0 || Array.isArray(rows[0]) ? rows : rows.map(asArray)

export class Connection {
  readonly #driver: SqliteDatabase
  readonly #own = new Map<string, SqliteStatement>()
  readonly #users = new Map<string, SqliteStatement>()
  #open = false
  /** Why the open transaction can only be rolled back, if so. */
  #doom: ThenceError | undefined

  constructor(driver: SqliteDatabase) {
    this.#driver = driver
  }

  get doom(): ThenceError | undefined {
    return this.#doom
  }

  /** Runs one or more statements without parameters. */
  exec(sql: string): void {
    try {
      this.#driver.exec(sql)
    } catch (error) {
      throw this.failed(error)
    }
  }

  /** Runs one statement; returns how many rows it changed. */
  run(sql: string, ...parameters: SqliteValue[]): number {
    try {
      return Number(this.statement(sql).run(...parameters).changes)
    } catch (error) {
      throw this.failed(error)
    }
  }

  /** The first row as an array of its columns. The caller knows which they are. */
  get<Row extends readonly unknown[]>(sql: string, ...parameters: SqliteValue[]): Row | undefined {
    try {
      const row = this.statement(sql).get(...parameters)
      if (row === undefined || row === null) return undefined
      return asArray(row) as readonly unknown[] as Row
    } catch (error) {
      throw this.failed(error)
    }
  }

  /** All rows as arrays of their columns. */
  all<Row extends readonly unknown[]>(sql: string, ...parameters: SqliteValue[]): Row[] {
    try {
      return asArrays(this.statement(sql).all(...parameters)) as Row[]
    } catch (error) {
      throw this.failed(error)
    }
  }

  /** Gives rows to `take`, one after the other, until it says no: what comes behind is never loaded. */
  some<Row extends readonly unknown[]>(
    sql: string,
    parameters: readonly SqliteValue[],
    take: (row: Row) => boolean,
  ): void {
    try {
      for (const row of this.statement(sql).iterate(...parameters))
        if (!take(asArray(row) as readonly unknown[] as Row)) return
    } catch (error) {
      throw this.failed(error)
    }
  }

  /** One of the adapter's own statements, compiled once. */
  statement(sql: string): SqliteStatement {
    const known = this.#own.get(sql)
    if (known !== undefined) return known
    const statement = this.#driver.prepare(sql)
    // The user may have set other defaults on the connection.
    statement.setReadBigInts?.(false)
    statement.safeIntegers?.(false)
    if (statement.setReturnArrays) statement.setReturnArrays(true)
    else if (statement.reader !== false) statement.raw?.(true)
    this.#own.set(sql, statement)
    return statement
  }

  /** A user's statement: rows are objects, integers bigints. The least recently used ones are dropped. */
  userStatement(sql: string, check: (statement: SqliteStatement) => void): SqliteStatement {
    let statement = this.#users.get(sql)
    if (statement === undefined) {
      statement = this.#driver.prepare(sql)
      check(statement)
      statement.setReturnArrays?.(false)
      if (statement.reader === true) statement.raw?.(false)
      statement.setReadBigInts?.(true)
      statement.safeIntegers?.(true)
    } else {
      this.#users.delete(sql)
    }
    this.#users.set(sql, statement)
    if (this.#users.size > userStatements)
      for (const oldest of this.#users.keys()) {
        this.#users.delete(oldest)
        break
      }
    return statement
  }

  begin(sql: 'BEGIN' | 'BEGIN IMMEDIATE'): void {
    this.run(sql)
    this.#open = true
    this.#doom = undefined
  }

  /**
   * Commits; whatever goes wrong, no transaction is open afterwards.
   * @throws OUTCOME_UNKNOWN if it failed where the commit may have reached the file already.
   */
  commit(): void {
    const doom = this.#doom
    if (doom !== undefined) {
      this.rollback()
      throw doom
    }
    try {
      this.statement('COMMIT').run()
      this.#open = false
    } catch (error) {
      // A transaction that is still open has committed nothing.
      const certain = this.#stillOpen() || isUndone(error)
      this.rollback()
      throw certain ? storeError(error) : unknownOutcome(error)
    }
  }

  rollback(): void {
    this.#open = false
    this.#doom = undefined
    try {
      this.statement('ROLLBACK').run()
    } catch {
      // SQLite has rolled back by itself (full disk, I/O error) or the connection is gone: nothing is open.
    }
  }

  /** Makes the open transaction unable to commit. */
  condemn(error: ThenceError): void {
    if (this.#open) this.#doom ??= error
  }

  /** Types a driver's error, and condemns the open transaction unless only one statement was undone. */
  failed(error: unknown): ThenceError {
    const typed = storeError(error)
    if (this.#open && this.#doom === undefined && (!isHarmless(error) || !this.#stillOpen()))
      this.#doom = typed
    return typed
  }

  /** `OR ROLLBACK` and `RAISE(ROLLBACK)` end a transaction behind our back; what came next would commit alone. */
  #stillOpen(): boolean {
    try {
      this.statement('BEGIN').run()
    } catch {
      return true
    }
    this.statement('ROLLBACK').run()
    return false
  }

  close(): void {
    this.#own.clear()
    this.#users.clear()
    try {
      this.#driver.close()
    } catch (error) {
      const typed = storeError(error)
      if (typed.code !== 'STORE_CLOSED') throw typed
    }
  }
}
