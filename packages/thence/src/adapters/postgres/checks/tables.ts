/**
 * What the tables of the store are like inside: indexes that are not valid, dead rows, statistics.
 */
import type { Finding } from '../../../ports/diagnosis.ts'
import type { Check } from './check.ts'
import { count, findingsOf } from './check.ts'

const invalid =
  'SELECT i.indexrelid::regclass::text FROM pg_index AS i JOIN pg_class AS c ON c.oid = i.indrelid ' +
  "WHERE c.relnamespace = to_regnamespace('thence') AND NOT (i.indisvalid AND i.indisready) ORDER BY 1"

const indexes: Check = {
  name: 'indexes',
  look: async ({ connection }) => {
    const finding = findingsOf('indexes')
    const rows = await connection.all<[string]>(invalid)
    if (rows.length === 0) return [finding('ok', 'all valid')]
    return rows.map(([name]) =>
      finding(
        'error',
        `${name} is not valid: it is not used`,
        `REINDEX INDEX CONCURRENTLY ${name}`,
      ),
    )
  },
}

const counts =
  'SELECT relname::text, n_live_tup, n_dead_tup, last_vacuum IS NULL AND last_autovacuum IS NULL, ' +
  'last_analyze IS NULL AND last_autoanalyze IS NULL FROM pg_stat_user_tables ' +
  "WHERE relid IN (SELECT oid FROM pg_class WHERE relnamespace = to_regnamespace('thence')) ORDER BY relname"

/** Fewer dead rows than this are nothing to tell, nor is a table of fewer rows without statistics. */
const many = 50_000

const bloat: Check = {
  name: 'dead rows',
  look: async ({ connection }) => {
    const finding = findingsOf('dead rows')
    const found: Finding[] = []
    let total = 0
    for (const [name, live, dead, neverCleaned, neverCounted] of await connection.all<
      [string, number, number, boolean, boolean]
    >(counts)) {
      total += dead
      if (dead > many && dead > 0.5 * live)
        found.push(
          finding(
            'warning',
            `${name}: ${count(dead)} dead beside ${count(live)} live${neverCleaned ? ', never vacuumed' : ''}`,
            `VACUUM ${name}; if it does not help, something holds the horizon.`,
          ),
        )
      if (neverCounted && live > many)
        found.push(
          finding('warning', `${name}: ${count(live)} rows and no statistics`, `ANALYZE ${name}`),
        )
    }
    return found.length > 0 ? found : [finding('ok', `${count(total)} in all tables`)]
  },
}

export const tableChecks: readonly Check[] = [indexes, bloat]
