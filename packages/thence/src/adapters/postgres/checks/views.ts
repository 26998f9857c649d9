/**
 * The schema of the tables of views: whether it is there, for this role too, and whether another store has the same one.
 */
import type { Finding } from '../../../ports/diagnosis.ts'
import type { Connection } from '../connection.ts'
import { quotedName } from '../views.ts'
import type { Check } from './check.ts'
import { findingsOf } from './check.ts'

const recorded = "SELECT value FROM thence.meta WHERE key = 'views'"
const rights =
  "SELECT has_schema_privilege(oid, 'USAGE'), has_schema_privilege(oid, 'CREATE') FROM pg_namespace WHERE nspname = $1"
/** Schemas that hold a store which this role may read. */
const stores =
  'SELECT n.nspname::text FROM pg_namespace AS n JOIN pg_class AS c ON c.relnamespace = n.oid ' +
  "WHERE c.relname IN ('meta', 'migrations', 'checkpoints', 'dead_letters') AND n.oid <> to_regnamespace('thence') " +
  "AND has_schema_privilege(n.oid, 'USAGE') GROUP BY 1 " +
  "HAVING count(*) = 4 AND bool_or(c.relname = 'meta' AND has_table_privilege(c.oid, 'SELECT')) ORDER BY 1"

/** A name that stays as it is, whatever it is: written by the numbers of its characters. */
const escaped = (name: string): string =>
  `U&"${Array.from(name, (one) => `\\+${one.codePointAt(0)!.toString(16).padStart(6, '0')}`).join('')}"`

const sharing = async (connection: Connection, schema: string): Promise<readonly string[]> => {
  const found: string[] = []
  for (const [store] of await connection.all<[string]>(stores)) {
    const text = `SELECT value FROM ${escaped(store)}.meta WHERE key = 'views'`
    const [views] = (await connection.get<[string]>(text)) ?? []
    if (views === schema) found.push(store)
  }
  return found
}

const views: Check = {
  name: 'views',
  look: async ({ connection }) => {
    const finding = findingsOf('views')
    const [schema] = (await connection.get<[string]>(recorded)) ?? []
    if (schema === undefined) return []
    const name = quotedName(schema)
    const [uses, makes] = (await connection.get<[boolean, boolean]>(rights, schema)) ?? []
    if (uses === undefined)
      return [
        finding('error', `the schema ${name} is not there`, `CREATE SCHEMA ${name}, then rebuild`),
      ]
    const found: Finding[] = []
    if (!uses)
      found.push(
        finding(
          'warning',
          `this role may not use the schema ${name}`,
          'Let its owner run what `thence migrate --reader ROLE` prints (--roles for an app).',
        ),
      )
    for (const store of await sharing(connection, schema))
      found.push(
        finding(
          'warning',
          `the schema ${name} is also that of the store in ${quotedName(store)}: views of one name share their tables`,
          'Move the tables of one of them to a schema of their own: docs/adapters/postgres.md, "Your own SQL".',
        ),
      )
    if (found.length > 0) return found
    return [finding('ok', `tables in ${name}${makes ? '' : ', where this role makes none'}`)]
  },
}

export const viewsChecks: readonly Check[] = [views]
