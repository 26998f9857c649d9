/**
 * The schema's life: which migrations a file has, whether it is a Thence store at all, and applying what is missing.
 */
import { ThenceError } from '../../errors.ts'
import type { Migration, MigrationPlan } from '../../ports/database.ts'
import type { Runtime } from '../../ports/runtime.ts'
import { identityOf } from '../sql/copying.ts'
import type { Connection } from './connection.ts'
import { migrations } from './migrations/all.ts'

const names = "SELECT name FROM sqlite_schema WHERE name LIKE 'thence\\_%' ESCAPE '\\'"
const applied = 'SELECT coalesce(max(number), 0) FROM thence_migrations'
const record = 'INSERT INTO thence_migrations (number, name, time) VALUES (?, ?, ?)'
const identify =
  "INSERT INTO thence_meta (key, value) VALUES ('store_id', ?) ON CONFLICT DO NOTHING"
const meta = 'SELECT key, value FROM thence_meta'

/** The name that the store got when it was made. @throws STORE_NOT_MIGRATED, STORE_CORRUPT, STORE_INCOMPLETE */
export function storeIdentity(connection: Connection): string {
  const identity = identityOf(connection.all<[string, string]>(meta))
  if (identity === undefined) throw foreign('no name of its own in thence_meta')
  return identity
}

const change = /^(CREATE|DROP|ALTER) (?:TABLE|INDEX|TRIGGER) (\w+)(?: RENAME TO (\w+))?/gm

/** The names that are there after these scripts. */
const created = (done: readonly Migration[]): ReadonlySet<string> => {
  const names = new Set<string>()
  for (const { script } of done)
    for (const [, verb, name = '', renamed] of script.matchAll(change)) {
      if (verb === 'DROP' || renamed !== undefined) names.delete(name)
      if (verb === 'CREATE') names.add(name)
      if (renamed !== undefined) names.add(renamed)
    }
  return names
}

const foreign = (problem: string): ThenceError =>
  new ThenceError(
    'STORE_CORRUPT',
    `The file has tables named thence_… but ${problem}. It is damaged or is not a Thence store.`,
  )

/**
 * The number of the last migration; 0 for a file without our tables.
 * @throws STORE_CORRUPT if something of ours is missing; STORE_TOO_NEW if a newer version was here.
 */
export function currentMigration(connection: Connection): number {
  const present = new Set(connection.all<[string]>(names).map((row) => row[0]))
  if (present.size === 0) return 0
  if (!present.has('thence_migrations')) throw foreign('no thence_migrations')
  const current = connection.get<[number]>(applied)![0]
  const last = migrations.at(-1)!.number
  if (current > last)
    throw new ThenceError(
      'STORE_TOO_NEW',
      `The store is at migration ${current}; this version of Thence knows ${last}. Update Thence.`,
      { details: { current, known: last } },
    )
  const expected = created(migrations.filter(({ number }) => number <= current))
  const lost = [...expected].find((name) => !present.has(name))
  if (lost !== undefined) throw foreign(`not ${lost}`)
  return current
}

export function migrationPlan(connection: Connection): MigrationPlan {
  const current = currentMigration(connection)
  return { current, pending: migrations.filter(({ number }) => number > current) }
}

/** Applies what is missing, inside the open write transaction; returns what it did. */
export function applyMigrations(connection: Connection, runtime: Runtime): MigrationPlan {
  const plan = migrationPlan(connection)
  for (const { number, name, script } of plan.pending) {
    connection.exec(script)
    connection.run(record, number, name, runtime.now())
  }
  if (plan.current === 0) connection.run(identify, runtime.id())
  return plan
}
