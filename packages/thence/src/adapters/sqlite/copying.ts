/**
 * Rows of a store in SQLite, to be copied; see ports/copying.ts.
 */
import type { Awaitable } from '../../ports/awaitable.ts'
import type { CopiedTable, Copying } from '../../ports/copying.ts'
import type { TransactOptions } from '../../ports/database.ts'
import type { CopyDialect, CopyTransactions } from '../sql/copying.ts'
import { SqlCopying } from '../sql/copying.ts'
import { SqliteLeases } from './leases.ts'
import type { Connection } from './connection.ts'
import type { Scope } from './scope.ts'

const table = (name: string): string => `thence_${name}`

const insertion = ({ name, columns }: CopiedTable): string => {
  const names = Object.keys(columns)
  return `INSERT INTO ${table(name)} (${names.join(', ')}) VALUES (${names.map(() => '?').join(', ')})`
}

const dialectOf = (scope: Scope, connection: Connection): CopyDialect => ({
  table,
  parameter: () => '?',
  insert(into, rows) {
    const text = insertion(into)
    for (const row of rows) connection.run(text, ...row)
  },
  connection,
  members: () => new SqliteLeases(scope).members(),
})

/** @param runner runs work in a transaction. */
export const sqliteCopying = (runner: {
  read<T>(work: (scope: Scope) => Awaitable<T>): Promise<T>
  write<T>(work: (scope: Scope) => Awaitable<T>, options?: TransactOptions): Promise<T>
}): Copying => {
  const transactions: CopyTransactions = {
    read: (work) => runner.read((scope) => work(dialectOf(scope, scope.use()))),
    write: (work, options) =>
      runner.write((scope) => work(dialectOf(scope, scope.change())), options),
  }
  return new SqlCopying(transactions)
}
