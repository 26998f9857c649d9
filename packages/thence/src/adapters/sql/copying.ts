/**
 * Rows of a store's tables, read and written in the form of ports/copying.ts: one implementation for databases that differ in
 * how tables are named and how many rows are inserted at once.
 */
import { isThenceError, ThenceError } from '../../errors.ts'
import type { Awaitable } from '../../ports/awaitable.ts'
import type { CopiedRow, CopiedTable, CopiedValue, Copying, Held } from '../../ports/copying.ts'
import type { Filling, ReadRows } from '../../ports/copying.ts'
import { copiedLog, copiedTables, copiedTags } from '../../ports/copying.ts'
import type { TransactOptions } from '../../ports/database.ts'
import { parseTags } from './rows.ts'

/** What both adapters' connections do. */
export interface CopyConnection {
  all(text: string, ...values: CopiedValue[]): Awaitable<unknown[][]>
  run(text: string, ...values: CopiedValue[]): Awaitable<number>
}

export interface CopyDialect {
  /** The name of a table. */
  readonly table: (name: string) => string
  /** The n-th parameter, from 1. */
  readonly parameter: (index: number) => string
  /** Inserts all rows. */
  insert(table: CopiedTable, rows: readonly CopiedRow[]): Awaitable<unknown>
  readonly connection: CopyConnection
  /** Up to where the log is settled; absent or undefined: as far as it goes. */
  readonly settled?: () => Promise<number | undefined>
  /** Lets nobody append until the transaction ends; absent: a transaction that writes does. */
  readonly hold?: () => Promise<unknown>
  /** Of those who are alive. */
  readonly members: () => Awaitable<readonly { readonly name: string }[]>
}

/** Runs work in a transaction. */
export interface CopyTransactions {
  read<T>(work: (dialect: CopyDialect) => Awaitable<T>): Promise<T>
  write<T>(work: (dialect: CopyDialect) => Awaitable<T>, options?: TransactOptions): Promise<T>
}

/** The key in the table meta under which the identity of the source stands. */
const fillingKey = 'filled_from'

/** The identity of a store by the rows of its table meta; undefined if it has none. @throws STORE_INCOMPLETE */
export function identityOf(meta: readonly (readonly [string, string])[]): string | undefined {
  const known = new Map(meta)
  const source = known.get(fillingKey)
  if (source === undefined) return known.get('store_id')
  throw new ThenceError(
    'STORE_INCOMPLETE',
    'The store is being filled from another and is not whole yet. Run `thence store copy` again to its end: it goes on ' +
      'where it was.',
    { details: { source } },
  )
}

const namesOf = ({ columns }: CopiedTable): readonly string[] => Object.keys(columns)

const after = ({ key }: CopiedTable, { parameter }: CopyDialect): string =>
  `(${key.join(', ')}) > (${key.map((_, index) => parameter(index + 1)).join(', ')})`

const where = (conditions: readonly string[]): string =>
  conditions.length === 0 ? '' : ` WHERE ${conditions.join(' AND ')}`

/** The next rows, up to a bound of bytes that is counted where they are. */
const reading = (
  table: CopiedTable,
  dialect: CopyDialect,
  { known, settled }: { readonly known: ReadRows['after']; readonly settled: number | undefined },
): string => {
  const { columns, key } = table
  const names = namesOf(table)
  const texts = names.filter((name) => columns[name] === 'text')
  const size = ['0', ...texts.map((name) => `coalesce(octet_length(${name}), 0)`)].join(' + ')
  const order = key.length === 0 ? '' : ` ORDER BY ${key.join(', ')}`
  const first = known?.length ?? 0
  const conditions = [
    ...(known === undefined ? [] : [after(table, dialect)]),
    ...(settled === undefined ? [] : [`position <= ${settled}`]),
  ]
  const wanted =
    `SELECT ${names.join(', ')}, ${size} AS size FROM ${dialect.table(table.name)}` +
    `${where(conditions)}${order} LIMIT ${dialect.parameter(first + 1)}`
  const summed = `SELECT *, sum(size) OVER (${order} ROWS UNBOUNDED PRECEDING) - size AS before FROM (${wanted}) AS wanted`
  return `SELECT ${names.join(', ')} FROM (${summed}) AS summed WHERE before < ${dialect.parameter(first + 2)}${order}`
}

/** As it is told: a boolean as 0 or 1. */
const told = (value: unknown): CopiedValue =>
  typeof value === 'boolean' ? Number(value) : (value as CopiedValue)

const tagsOf = (rows: readonly CopiedRow[]): readonly CopiedRow[] => {
  const names = namesOf(copiedLog)
  const [at, tags] = [names.indexOf('position'), names.indexOf('tags')]
  return rows.flatMap((row) =>
    [...new Set(parseTags(row[tags] as string | null))].map((tag) => [tag, row[at] ?? null]),
  )
}

const countOf = async (
  { connection, table }: CopyDialect,
  { name }: CopiedTable,
): Promise<number> => {
  const [row] = await connection.all(`SELECT count(*) FROM ${table(name)}`)
  return Number(row?.[0])
}

const lastKeyOf = async (
  { connection, table }: CopyDialect,
  { name, key }: CopiedTable,
): Promise<readonly CopiedValue[] | undefined> => {
  if (key.length === 0) return undefined
  const order = key.map((one) => `${one} DESC`).join(', ')
  const last = `SELECT ${key.join(', ')} FROM ${table(name)} ORDER BY ${order} LIMIT 1`
  return (await connection.all(last))[0]?.map(told)
}

const heldBy = (dialect: CopyDialect): Held => ({
  count: (table) => countOf(dialect, table),
  lastKey: (table) => lastKeyOf(dialect, table),
  members: async () => (await dialect.members()).map(({ name }) => name),
})

const removeAll = ({ table, connection }: CopyDialect, name: string): Awaitable<number> =>
  connection.run(`DELETE FROM ${table(name)}`)

/** The tables with a row for each thing that was written; the others have one row from the beginning on. */
const grown: readonly CopiedTable[] = [copiedLog, ...copiedTables].filter(
  ({ key }) => key.length > 0,
)

export class SqlCopying implements Copying {
  readonly #transactions: CopyTransactions

  constructor(transactions: CopyTransactions) {
    this.#transactions = transactions
  }

  filling(): Promise<Filling> {
    return this.#transactions.read(async (dialect) => {
      const { connection, table, parameter } = dialect
      const [row] = await connection.all(
        `SELECT value FROM ${table('meta')} WHERE key = ${parameter(1)}`,
        fillingKey,
      )
      const filled = grown.map(({ name }) => `SELECT 1 FROM ${table(name)}`).join(' UNION ALL ')
      const found = await connection.all(`SELECT 1 FROM (${filled}) AS filled LIMIT 1`)
      return { source: row?.[0] as string | undefined, empty: found.length === 0 }
    })
  }

  begin(source: string): Promise<void> {
    return this.#transactions.write(async ({ connection, table, parameter }) => {
      const upsert =
        `INSERT INTO ${table('meta')} (key, value) VALUES (${parameter(1)}, ${parameter(2)}) ` +
        'ON CONFLICT (key) DO UPDATE SET value = excluded.value'
      await connection.run(upsert, fillingKey, source)
    })
  }

  end(): Promise<void> {
    return this.#transactions.write(async ({ connection, table, parameter }) => {
      const meta = table('meta')
      const adopt = `UPDATE ${meta} SET value = (SELECT value FROM ${meta} WHERE key = ${parameter(1)}) WHERE key = ${parameter(2)}`
      await connection.run(adopt, fillingKey, 'store_id')
      await connection.run(`DELETE FROM ${meta} WHERE key = ${parameter(1)}`, fillingKey)
    })
  }

  count(table: CopiedTable): Promise<number> {
    return this.#transactions.read((dialect) => countOf(dialect, table))
  }

  lastKey(table: CopiedTable): Promise<readonly CopiedValue[] | undefined> {
    return this.#transactions.read((dialect) => lastKeyOf(dialect, table))
  }

  rows(table: CopiedTable, options: ReadRows): Promise<readonly CopiedRow[]> {
    const { after: known, limit, maxBytes } = options
    return this.#transactions.read(async (dialect) => {
      const isBounded = table === copiedLog && options.settled === true
      const settled = isBounded ? await dialect.settled?.() : undefined
      const text = reading(table, dialect, { known, settled })
      const rows = await dialect.connection.all(text, ...(known ?? []), limit, maxBytes)
      return rows.map((row) => row.map(told))
    })
  }

  write(table: CopiedTable, rows: readonly CopiedRow[]): Promise<void> {
    return this.#transactions.write(async (dialect) => {
      if (table.key.length === 0) await removeAll(dialect, table.name)
      await dialect.insert(table, rows)
      if (table === copiedLog) await dialect.insert(copiedTags, tagsOf(rows))
    })
  }

  clear({ name }: CopiedTable): Promise<void> {
    return this.#transactions.write(async (dialect) => void (await removeAll(dialect, name)))
  }

  async hold<T>(work: (held: Held) => Promise<T>): Promise<T> {
    let isHeld = false
    try {
      // It lasts as long as its work: let go before that, the store would be written to beside it.
      return await this.#transactions.write(
        async (dialect) => {
          await dialect.hold?.()
          isHeld = true
          return work(heldBy(dialect))
        },
        { timeout: Infinity },
      )
    } catch (error) {
      if (isHeld || !isThenceError(error, 'STORE_READ_ONLY')) throw error
    }
    return this.#transactions.read((dialect) => work(heldBy(dialect)))
  }
}
