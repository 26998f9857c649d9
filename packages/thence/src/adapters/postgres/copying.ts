/**
 * Rows of a store in PostgreSQL, to be copied; see ports/copying.ts. All rows of a call travel as one array for each column.
 */
import type {
  CopiedKind,
  CopiedTable,
  CopiedValue,
  Copying,
  OpenAppend,
  OwnNames,
} from '../../ports/copying.ts'
import type { TransactOptions } from '../../ports/database.ts'
import type { CopyDialect } from '../sql/copying.ts'
import { SqlCopying } from '../sql/copying.ts'
import { lowestAppend } from './checks/order.ts'
import { arrayOf } from './columns.ts'
import type { Connection } from './connection.ts'
import { PostgresLeases } from './leases.ts'
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

const lock = (name: string): string =>
  `SELECT pg_advisory_xact_lock(hashtextextended('thence.${name}', 0))::text`

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
  // Whoever appends takes one of these, in the order `concurrent` together with others who append.
  hold: () => connection.run(lock(scope.concurrent ? 'all' : 'append')),
  members: () => new PostgresLeases(scope).members(),
})

// No role needs a right for this; the time is told as a number, which is the same whatever the session's time zone.
const database =
  "SELECT concat_ws('/', extract(epoch FROM pg_postmaster_start_time()), oid) FROM pg_database WHERE datname = current_database()"
const isMade = "SELECT to_regclass('thence.meta') IS NOT NULL"

type Reading = <T>(work: (scope: Scope) => Promise<T>) => Promise<T>

/** Run work in a transaction. */
export interface CopyRunner {
  readonly read: Reading
  readonly write: <T>(work: (scope: Scope) => Promise<T>, options?: TransactOptions) => Promise<T>
  /** The same as `read`, also before the first migration. */
  readonly ask: Reading
  /** What the store keeps as it was made. */
  readonly learn: (connection: Connection) => Promise<void>
}

class PostgresCopying extends SqlCopying {
  readonly #read: Reading
  readonly #ask: Reading
  readonly #learn: CopyRunner['learn']

  constructor({ read, write, ask, learn }: CopyRunner) {
    super({
      read: (work) => read(async (scope) => work(dialectOf(scope, scope.use()))),
      write: (work, options) =>
        write(async (scope) => work(dialectOf(scope, scope.change())), options),
    })
    this.#read = read
    this.#ask = ask
    this.#learn = learn
  }

  openAppend(): Promise<OpenAppend | undefined> {
    return this.#read(async (scope) => (scope.concurrent ? lowestAppend(scope.use()) : undefined))
  }

  names(): Promise<OwnNames> {
    return this.#ask(async (scope) => {
      const connection = scope.use()
      const [made] = (await connection.get<[boolean]>(isMade))!
      if (made && scope.views === undefined) await this.#learn(connection)
      const [name] = (await connection.get<[string]>(database))!
      return { database: name, views: scope.views ?? connection.texts.views }
    })
  }
}

export const postgresCopying = (runner: CopyRunner): Copying => new PostgresCopying(runner)
