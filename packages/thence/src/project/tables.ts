/**
 * Views in plain SQL: tables of the user's own, in the same database and transaction.
 */
import { ThenceError } from '../errors.ts'
import type { OptionNames } from '../message/expect.ts'
import { expectObject, expectOptions } from '../message/expect.ts'
import type { Transaction } from '../ports/database.ts'
import type { SqlRow, SqlValue } from '../ports/sql.ts'
import { Turns } from '../store/turns.ts'
import type { TableKeys, ViewDefinition } from './view.ts'

/**
 * The name of a table (or an index) of one version of the view, quoted: that of the projection, or with a suffix another
 * one.
 */
export type TableName = (suffix?: string) => string

/** Tables of your own, in the same database and transaction, in the database's own SQL. */
export interface Tables {
  /** Runs one statement; gives how many rows it changed. */
  run(text: string, ...parameters: readonly SqlValue[]): Promise<number>
  /** All rows of one statement. */
  all<Row = SqlRow>(text: string, ...parameters: readonly SqlValue[]): Promise<readonly Row[]>
  /** The first row of one statement. */
  first<Row = SqlRow>(text: string, ...parameters: readonly SqlValue[]): Promise<Row | undefined>
  /** The name of a table of the version at hand, for views whose `create` is a function. */
  readonly table: TableName
}

/** Tables with names of their own. There is one set of them, so the view is rebuilt in place. */
export interface TablesOptions {
  /** Statements that make the tables if they are not there, for example `CREATE TABLE IF NOT EXISTS …`. */
  readonly create: readonly string[]
  /** Statements that empty them before a rebuild, for example `DELETE FROM …`. */
  readonly clear: readonly string[]
}

/** Tables that take their names from the version of the view, so that it can be rebuilt beside the one that serves. */
export interface VersionedTablesOptions {
  /** Statements that make the tables of one version, for example `CREATE TABLE IF NOT EXISTS ${table()} (…)`. */
  readonly create: (table: TableName) => readonly string[]
  /** Statements that remove them, for example `DROP TABLE IF EXISTS ${table()}`. */
  readonly drop: (table: TableName) => readonly string[]
  /**
   * What identifies a row, by the suffix of the table, for a diff. Default: the first column of the table without a
   * suffix; other tables are not compared.
   */
  readonly keys?: TableKeys
}

const quoted = (name: string): string => `"${name.replaceAll('"', '""')}"`

/** Names the tables of the version `name` of a view. */
export const tableNames =
  (name: string): TableName =>
  (suffix = '') =>
    quoted(suffix === '' ? name : `${name}_${suffix}`)

/** What it gives is what the turn gives: another promise behind that would be left unhandled when the turns are over. */
const handle = ({ sql }: Transaction, turns: Turns, table: TableName): Tables => ({
  run: (text, ...parameters) => turns.take(() => sql.run(text, ...parameters)),
  all: <Row>(text: string, ...parameters: readonly SqlValue[]) =>
    turns.take(async () => (await sql.all(text, ...parameters)) as readonly Row[]),
  first: <Row>(text: string, ...parameters: readonly SqlValue[]) =>
    turns.take(async () => (await sql.all(text, ...parameters)).at(0) as Row | undefined),
  table,
})

const runAll = async ({ sql }: Transaction, statements: readonly string[]): Promise<void> => {
  for (const statement of statements) await sql.run(statement)
}

type Statements = (name: string) => readonly string[]

const define = (
  statements: Readonly<Record<'create' | 'clear' | 'remove', Statements>>,
  rest: Pick<ViewDefinition<Tables>, 'beside' | 'keys'>,
): ViewDefinition<Tables> => ({
  kind: 'tables',
  ...rest,
  open: (transaction, name) => {
    const turns = new Turns()
    return {
      view: handle(transaction, turns, tableNames(name)),
      flush: () => turns.done(),
      end: () => turns.fail(),
    }
  },
  create: (transaction, name) => runAll(transaction, statements.create(name)),
  clear: (transaction, name) => runAll(transaction, statements.clear(name)),
  async remove(transaction, name) {
    await runAll(transaction, statements.remove(name))
    return false
  },
})

const fixedNames: OptionNames<TablesOptions> = { create: true, clear: true }
const versionedNames: OptionNames<VersionedTablesOptions> = { create: true, drop: true, keys: true }

const fixed = ({ create, clear }: TablesOptions): ViewDefinition<Tables> => {
  if (create.length === 0 || clear.length === 0)
    throw new ThenceError(
      'CONFIG_INVALID',
      'tables({ create, clear }) needs statements that create the tables and that empty them for a rebuild.',
    )
  const statements = { create: () => create, clear: () => clear, remove: () => clear }
  return define(statements, { beside: false })
}

const versioned = ({ create, drop, keys }: VersionedTablesOptions): ViewDefinition<Tables> => {
  if (
    typeof drop !== 'function' ||
    create(tableNames('view')).length === 0 ||
    drop(tableNames('view')).length === 0
  )
    throw new ThenceError(
      'CONFIG_INVALID',
      'tables({ create: (table) => […], drop: (table) => […] }) needs statements that create the tables of a version ' +
        'and that remove them.',
    )
  const creating: Statements = (name) => create(tableNames(name))
  const dropping: Statements = (name) => drop(tableNames(name))
  const clear: Statements = (name) => [...dropping(name), ...creating(name)]
  return define(
    { create: creating, clear, remove: dropping },
    { beside: true, ...(keys === undefined ? {} : { keys }) },
  )
}

/**
 * A view in plain SQL. Needs an adapter with SQL. With `create` as a function the tables are named by the version of the
 * view, and the functions of the projection find the names in `view.table()`.
 * @throws CONFIG_INVALID if nothing is created, cleared or dropped.
 */
export function tables(options: TablesOptions | VersionedTablesOptions): ViewDefinition<Tables> {
  expectObject('What tables takes', options)
  const isByVersion = isVersioned(options)
  expectOptions('tables', options, isByVersion ? versionedNames : fixedNames)
  return isByVersion ? versioned(options) : fixed(options)
}

const isVersioned = (
  options: TablesOptions | VersionedTablesOptions,
): options is VersionedTablesOptions => typeof options.create === 'function'
