/**
 * Whether the schema is what the migrations make: tables with their columns, indexes, sequences and functions, one by one against the
 * committed dump of them, schema.sql.
 */
import { readFileSync } from 'node:fs'
import type { Finding } from '../../../ports/diagnosis.ts'
import type { Connection } from '../connection.ts'
import { isCorrupt, isForbidden } from '../errors.ts'
import { migrationPlan } from '../schema.ts'
import type { Check } from './check.ts'
import { findingsOf } from './check.ts'

const columns =
  "SELECT c.relname::text, string_agg('  ' || a.attname || ' ' || format_type(a.atttypid, a.atttypmod) " +
  "|| CASE WHEN a.attcollation <> t.typcollation THEN ' COLLATE \"' || o.collname || '\"' ELSE '' END " +
  "|| coalesce(' DEFAULT ' || pg_get_expr(d.adbin, d.adrelid), '') " +
  "|| CASE WHEN a.attnotnull THEN ' NOT NULL' ELSE '' END, E',\\n' ORDER BY a.attnum), " +
  "coalesce(' WITH (' || array_to_string(c.reloptions, ', ') || ')', '') " +
  'FROM pg_class AS c JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped ' +
  'JOIN pg_type AS t ON t.oid = a.atttypid LEFT JOIN pg_collation AS o ON o.oid = a.attcollation ' +
  'LEFT JOIN pg_attrdef AS d ON d.adrelid = c.oid AND d.adnum = a.attnum ' +
  "WHERE c.relnamespace = to_regnamespace('thence') AND c.relkind IN ('r', 'p') GROUP BY c.relname, c.reloptions ORDER BY 1"
const indexes =
  'SELECT i.relname::text, pg_get_indexdef(i.oid) FROM pg_class AS i ' +
  "WHERE i.relnamespace = to_regnamespace('thence') AND i.relkind IN ('i', 'I') ORDER BY 1"
const sequences =
  "SELECT c.relname::text, 'CREATE SEQUENCE thence.' || c.relname || ' AS ' || format_type(s.seqtypid, NULL) || ' START ' || s.seqstart " +
  "|| ' INCREMENT ' || s.seqincrement || ' MINVALUE ' || s.seqmin || ' MAXVALUE ' || s.seqmax || ' CACHE ' || s.seqcache " +
  "|| CASE WHEN s.seqcycle THEN ' CYCLE' ELSE '' END " +
  'FROM pg_sequence AS s JOIN pg_class AS c ON c.oid = s.seqrelid ' +
  "WHERE c.relnamespace = to_regnamespace('thence') ORDER BY 1"
const functions =
  "SELECT proname::text || '(' || pg_get_function_identity_arguments(oid) || ')', pg_get_functiondef(oid) " +
  "FROM pg_proc WHERE pronamespace = to_regnamespace('thence') AND prokind = 'f' ORDER BY 1"

/** Where the dump is, beside the sources and beside what was built of them alike. */
const dump = new URL('../../../../src/adapters/postgres/schema.sql', import.meta.url)

const heading = /^-- (table|index|sequence|function) (.+)$/gm

/** Every part of the schema that is there, by kind and name, as SQL; whatever the schema is called. */
export async function describeSchema(connection: Connection): Promise<ReadonlyMap<string, string>> {
  const [, schema = ''] = /"(.*)"/.exec(connection.texts.of('thence')) ?? []
  const named = (text: string): string =>
    text.replaceAll(`"${schema}"`, 'thence').replace(new RegExp(`\\b${schema}\\.`, 'g'), 'thence.')
  const parts = new Map<string, string>()
  for (const [name, list, options] of await connection.all<[string, string, string]>(columns))
    parts.set(`table ${name}`, named(`CREATE TABLE thence.${name} (\n${list}\n)${options};`))
  for (const [name, text] of await connection.all<[string, string]>(indexes))
    parts.set(`index ${name}`, `${named(text)};`)
  for (const [name, text] of await connection.all<[string, string]>(sequences))
    parts.set(`sequence ${name}`, `${named(text)};`)
  for (const [name, text] of await connection.all<[string, string]>(functions))
    parts.set(`function ${name}`, `${named(text).trimEnd()};`)
  return parts
}

export const dumpOf = (parts: ReadonlyMap<string, string>): string =>
  [...parts].map(([name, text]) => `-- ${name}\n${text}\n`).join('\n')

/** What the migrations make, by kind and name. */
const expected = (text: string): ReadonlyMap<string, string> => {
  const found = [...text.matchAll(heading)]
  return new Map(
    found.map(({ 0: line, index }, place) => {
      const end = found[place + 1]?.index ?? text.length
      return [line.slice('-- '.length), text.slice(index + line.length, end).trim()]
    }),
  )
}

const mend =
  'Restore it from a backup of the schema, or drop what differs and let `thence migrate` say what is missing.'

const grant =
  'Let the owner of the schema run what `thence migrate --reader ROLE` prints (--roles for an app), or look as another role.'

const compare = async (connection: Connection): Promise<readonly Finding[]> => {
  const finding = findingsOf('schema')
  const wanted = expected(readFileSync(dump, 'utf8'))
  const there = await describeSchema(connection)
  const found: Finding[] = []
  for (const [name, text] of wanted) {
    const own = there.get(name)
    if (own === undefined) found.push(finding('error', `${name} is missing`, mend))
    else if (own !== text)
      found.push(finding('error', `${name} is not as the migrations make it`, mend))
  }
  const more = [...there.keys()].filter((name) => !wanted.has(name))
  if (more.length > 0)
    found.push(finding('notice', `also there, and not made by migrations: ${more.join(', ')}`))
  return found.length > 0
    ? found
    : [
        finding(
          'ok',
          `${wanted.size} tables, indexes, sequences and functions, as the migrations make them`,
        ),
      ]
}

const schema: Check = {
  name: 'schema',
  look: async ({ connection }) => {
    const finding = findingsOf('schema')
    try {
      const { current, pending } = await migrationPlan(connection)
      if (current === 0)
        return [finding('error', 'there are no tables of Thence', 'Run: thence migrate')]
      if (pending.length > 0)
        return [finding('error', `${pending.length} migrations are missing`, 'Run: thence migrate')]
    } catch (error) {
      if (isForbidden(error))
        return [finding('error', 'this role may not look at the tables of Thence', grant)]
      // Something is missing, which is told one by one.
      if (!isCorrupt(error)) throw error
    }
    return compare(connection)
  },
}

export const schemaChecks: readonly Check[] = [schema]
