/**
 * What differs between the tables of two versions of a view, told by the database itself in SQL that all of them
 * understand: rows of one that are not, just so, in the other.
 */
import type { Transaction } from '../ports/database.ts'
import type { Sql, SqlRow } from '../ports/sql.ts'
import type { DiffOptions, RowDiff, ViewDiff } from './diff.ts'
import { tableNames } from './tables.ts'
import type { TableKeys } from './view.ts'

const quoted = (name: string): string => `"${name.replaceAll('"', '""')}"`

const columnsOf = async (sql: Sql, table: string): Promise<readonly string[] | undefined> => {
  const [row] = await sql.all(`SELECT * FROM ${table} LIMIT 1`)
  return row === undefined ? undefined : Object.keys(row)
}

const number = async (sql: Sql, text: string): Promise<number> => {
  const [row] = await sql.all(`SELECT count(*) AS number FROM (${text}) AS counted`)
  return Number(row?.['number'] ?? 0)
}

/** One table in both versions, with the columns that both have. */
interface Pair {
  readonly old: string
  readonly new: string
  readonly suffix: string
  readonly keys: readonly string[]
}

const keyText = (row: SqlRow, keys: readonly string[]): string =>
  keys.map((key) => String(row[key] ?? '')).join(' / ')

const examplesOf = async (
  sql: Sql,
  { old, new: built, suffix, keys }: Pair,
  { differing, limit }: { readonly differing: string; readonly limit: number },
): Promise<readonly RowDiff[]> => {
  const order = keys.map(quoted).join(', ')
  const first = `${differing} ORDER BY ${order} LIMIT ${limit}`
  const found = await sql.all(first)
  if (found.length === 0) return []
  const where = `WHERE (${order}) IN (SELECT ${order} FROM (${first}) AS differing)`
  const read = async (table: string): Promise<ReadonlyMap<string, SqlRow>> => {
    const rows = await sql.all(`SELECT * FROM ${table} ${where}`)
    return new Map(rows.map((row) => [keyText(row, keys), { ...row }]))
  }
  const [before, after] = [await read(old), await read(built)]
  return found.map((row) => {
    const key = keyText(row, keys)
    const [left, right] = [before.get(key), after.get(key)]
    return {
      ...(suffix === '' ? {} : { table: suffix }),
      key,
      ...(left === undefined ? {} : { old: left }),
      ...(right === undefined ? {} : { new: right }),
    }
  })
}

/** Everything of the one that is there is missing in the other. */
const oneSided = async (
  sql: Sql,
  pair: Pair,
  { side, limit }: { readonly side: 'old' | 'new'; readonly limit: number },
): Promise<ViewDiff> => {
  const all = `SELECT * FROM ${pair[side]}`
  const rows = await number(sql, all)
  const examples = await examplesOf(sql, pair, { differing: all, limit })
  const counts = { same: 0, added: 0, removed: 0, changed: 0 }
  return { ...counts, [side === 'old' ? 'removed' : 'added']: rows, examples }
}

const diffTable = async (
  sql: Sql,
  { keys, ...names }: Omit<Pair, 'keys'> & { readonly keys: readonly string[] | undefined },
  limit: number,
): Promise<ViewDiff> => {
  const [before, after] = [await columnsOf(sql, names.old), await columnsOf(sql, names.new)]
  const pair: Pair = { ...names, keys: keys ?? (before ?? after ?? []).slice(0, 1) }
  if (before === undefined && after === undefined)
    return { same: 0, added: 0, removed: 0, changed: 0, examples: [] }
  if (before === undefined) return oneSided(sql, pair, { side: 'new', limit })
  if (after === undefined) return oneSided(sql, pair, { side: 'old', limit })
  const columns = before.filter((column) => after.includes(column)).map(quoted)
  const select = (table: string, which: readonly string[] = columns): string =>
    `SELECT ${which.join(', ')} FROM ${table}`
  const key = pair.keys.map(quoted)
  const gone = `${select(pair.old)} EXCEPT ${select(pair.new)}`
  const come = `${select(pair.new)} EXCEPT ${select(pair.old)}`
  const goneKeys = select(`(${gone}) AS gone`, key)
  const comeKeys = select(`(${come}) AS come`, key)
  const changed = await number(sql, `${goneKeys} INTERSECT ${comeKeys}`)
  const removed = (await number(sql, gone)) - changed
  const added = (await number(sql, come)) - changed
  const same = (await number(sql, select(pair.old))) - removed - changed
  const differing = `${goneKeys} UNION ${comeKeys}`
  return {
    same,
    added,
    removed,
    changed,
    examples: await examplesOf(sql, pair, { differing, limit }),
  }
}

/** Compares the tables of two versions; `old` and `new` are the names of the versions. */
export async function diffTables(
  { sql }: Transaction,
  names: { readonly old: string; readonly new: string; readonly keys: TableKeys | undefined },
  { limit = 10 }: DiffOptions = {},
): Promise<ViewDiff> {
  const total = { same: 0, added: 0, removed: 0, changed: 0 }
  const examples: RowDiff[] = []
  const [old, built] = [tableNames(names.old), tableNames(names.new)]
  const keys: readonly (readonly [string, readonly string[] | undefined])[] =
    names.keys === undefined ? [['', undefined]] : Object.entries(names.keys)
  for (const [suffix, key] of keys) {
    const pair = { old: old(suffix), new: built(suffix), suffix, keys: key }
    const one = await diffTable(sql, pair, limit - examples.length)
    total.same += one.same
    total.added += one.added
    total.removed += one.removed
    total.changed += one.changed
    examples.push(...one.examples)
  }
  return { ...total, examples }
}
