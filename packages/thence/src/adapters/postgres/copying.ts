/**
 * Rows of a store in PostgreSQL, to be copied; see ports/copying.ts. All rows of a call travel as one array for each column.
 */
import type { CopiedKind, CopiedTable, CopiedValue, Copying } from '../../ports/copying.ts'
import type { CopyDialect } from '../sql/copying.ts'
import { SqlCopying } from '../sql/copying.ts'
import { arrayOf } from './columns.ts'
import type { Connection } from './connection.ts'
import type { Scope } from './scope.ts'

const table = (name: string): string => `thence.${name}`

const types: Readonly<Record<CopiedKind, string>> = {
  text: 'text[]',
  integer: 'bigint[]',
  boolean: 'integer[]',
}

const insertion = ({ name, columns }: CopiedTable): string => {
  const kinds = Object.entries(columns)
  const names = kinds.map(([column]) => column).join(', ')
  const arrays = kinds.map(([, kind], index) => `$${index + 1}::${types[kind]}`).join(', ')
  const values = kinds.map(([column, kind]) => (kind === 'boolean' ? `${column}::boolean` : column))
  return `INSERT INTO ${table(name)} (${names}) SELECT ${values.join(', ')} FROM unnest(${arrays}) AS of (${names})`
}

const dialectOf = (scope: Scope, connection: Connection): CopyDialect => ({
  table,
  parameter: (index) => `$${index}`,
  async insert(into, rows) {
    if (rows.length === 0) return
    const columns = Object.keys(into.columns).map((_, index) =>
      arrayOf(rows.map((row): CopiedValue => row[index] ?? null)),
    )
    await connection.run(insertion(into), ...columns)
  },
  connection,
  settled: () => scope.bound(),
})

/** @param runner runs work in a transaction. */
export const postgresCopying = (runner: {
  read<T>(work: (scope: Scope) => Promise<T>): Promise<T>
  write<T>(work: (scope: Scope) => Promise<T>): Promise<T>
}): Copying =>
  new SqlCopying({
    read: (work) => runner.read(async (scope) => work(dialectOf(scope, scope.use()))),
    write: (work) => runner.write(async (scope) => work(dialectOf(scope, scope.change()))),
  })
