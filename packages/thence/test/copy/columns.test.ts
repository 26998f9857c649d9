// Whatever a store keeps is copied: a table or a column that a migration adds, and that is not told of in ports/copying.ts, shows here.
import { readFileSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { expect, test } from 'vitest'
import { copiedLog, copiedTables, copiedTags } from '../../src/ports/copying.ts'
import { postgresPlace } from '../kit/postgres.ts'
import { virtualRuntime } from 'thence/testing'

/** What is of the process, of the database, or of the moment. */
const left = ['members', 'meta', 'migrations', 'leases.owner']

const known: readonly string[] = [copiedLog, copiedTags, ...copiedTables]
  .flatMap(({ name, columns }) => Object.keys(columns).map((column) => `${name}.${column}`))
  .sort()

const kept = (columns: readonly (readonly [table: string, column: string])[]): readonly string[] =>
  columns
    .filter(([table, column]) => !left.includes(table) && !left.includes(`${table}.${column}`))
    .map((column) => column.join('.'))
    .sort()

test('all of SQLite', () => {
  using database = new DatabaseSync(':memory:')
  const schema = new URL('../../src/adapters/sqlite/schema.sql', import.meta.url)
  database.exec(readFileSync(schema, 'utf8'))
  const all = `SELECT substr(t.name, 8) AS "table", c.name AS "column" FROM sqlite_schema t, pragma_table_info(t.name) c
    WHERE t.type = 'table'`
  const columns = database.prepare(all).all() as { table: string; column: string }[]
  expect(kept(columns.map(({ table, column }) => [table, column]))).toEqual(known)
})

test('all of PostgreSQL', async () => {
  const place = postgresPlace(virtualRuntime())
  const database = place.connect()
  await database.open(virtualRuntime())
  await database.migrate()
  const pool = place.pool()
  const { rows } = await pool.query<{ table: string; column: string }>(
    'SELECT table_name AS "table", column_name AS "column" FROM information_schema.columns WHERE table_schema = $1',
    [place.schema],
  )
  await pool.end()
  await database.close()
  await place.dispose()
  expect(kept(rows.map(({ table, column }) => [table, column]))).toEqual(known)
})
