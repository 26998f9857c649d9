/**
 * Plain SQL in the database's own dialect, inside the transaction of the effect: for views that want tables, indexes
 * and joins. Offered only by adapters whose capability `sql` is true.
 */
import type { Awaitable } from './awaitable.ts'

export type SqlValue = string | number | bigint | null | Uint8Array
export type SqlRow = Readonly<Record<string, SqlValue>>

/**
 * Values always travel as parameters. Statements that begin or end a transaction are refused. A statement that the
 * database refuses (a broken constraint, wrong SQL) throws SQL_FAILED; the transaction is sound and may go on.
 */
export interface Sql {
  /** Runs one statement; returns how many rows it changed. */
  run(text: string, ...parameters: readonly SqlValue[]): Awaitable<number>
  /** All rows of one statement. */
  all(text: string, ...parameters: readonly SqlValue[]): Awaitable<readonly SqlRow[]>
}
