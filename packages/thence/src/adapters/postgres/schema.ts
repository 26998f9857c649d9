/**
 * The schema's life: which migrations a store has, whether it is a Thence store at all, and applying what is missing.
 */
import { ThenceError } from '../../errors.ts'
import type { Migration, MigrationPlan } from '../../ports/database.ts'
import { identityOf } from '../sql/copying.ts'
import { nowOr } from './clock.ts'
import type { Connection } from './connection.ts'
import { isForbidden, said } from './errors.ts'
import { learn } from './kept.ts'
import { migrations } from './migrations/all.ts'
import type { Runner } from './runner.ts'
import type { Scope, Session } from './scope.ts'

const names =
  "SELECT relname::text FROM pg_class WHERE relnamespace = to_regnamespace('thence') AND relkind IN ('r', 'p', 'i')"
const applied = 'SELECT coalesce(max(number), 0) FROM thence.migrations'
const record = `INSERT INTO thence.migrations (number, name, time) VALUES ($1, $2, ${nowOr('$3')})`
const identify =
  "INSERT INTO thence.meta (key, value) VALUES ('store_id', $1) ON CONFLICT DO NOTHING"
const meta = 'SELECT key, value FROM thence.meta'

const created = /^CREATE (?:TABLE|INDEX) (?:thence\.)?(\w+)/gm

const foreign = (problem: string): ThenceError =>
  new ThenceError(
    'STORE_CORRUPT',
    `The schema of the store has tables but ${problem}. It is damaged or is not a Thence store.`,
  )

/** The name that the store got when it was made. @throws STORE_NOT_MIGRATED, STORE_CORRUPT, STORE_INCOMPLETE */
export async function storeIdentity(connection: Connection): Promise<string> {
  const identity = identityOf(await connection.all<[string, string]>(meta))
  if (identity === undefined) throw foreign('no name of its own in its table meta')
  return identity
}

/**
 * The number of the last migration; 0 for a schema that is empty or not there.
 * @throws STORE_CORRUPT if something of ours is missing; STORE_TOO_NEW if a newer version was here.
 */
async function currentMigration(connection: Connection): Promise<number> {
  const present = new Set((await connection.all<[string]>(names)).map(([name]) => name))
  if (present.size === 0) return 0
  if (!present.has('migrations')) throw foreign('no table migrations')
  const current = (await connection.get<[number]>(applied))![0]
  const last = migrations.at(-1)!.number
  if (current > last)
    throw new ThenceError(
      'STORE_TOO_NEW',
      `The store is at migration ${current}; this version of Thence knows ${last}. Update Thence.`,
      { details: { current, known: last } },
    )
  const expected = migrations
    .filter(({ number }) => number <= current)
    .flatMap(({ script }) => [...script.matchAll(created)].map(([, name = '']) => name))
  const lost = expected.find((name) => !present.has(name))
  if (lost !== undefined) throw foreign(`not ${lost}`)
  return current
}

const missing = (current: number): readonly Migration[] =>
  migrations.filter(({ number }) => number > current)

/** What is told of them: with the name of this store's schema. */
const planOf = (connection: Connection, current: number): MigrationPlan => ({
  current,
  pending: missing(current).map((one) => ({ ...one, script: connection.texts.of(one.script) })),
})

export async function migrationPlan(connection: Connection): Promise<MigrationPlan> {
  return planOf(connection, await currentMigration(connection))
}

/** What is given to an app or a reader does not help whoever migrates. */
const mayNotMigrate = ({ cause }: ThenceError): ThenceError =>
  new ThenceError(
    'STORE_REFUSED',
    'The role may not migrate the store. Let the owner of the schema run `thence migrate`; where the schema is not there yet, a role that ' +
      `has CREATE on the database (GRANT CREATE ON DATABASE … TO …). ${said(cause)}`,
    { cause },
  )

/** Applies what is missing, each number once: whoever else migrates waits for the lock of all who write. Returns what it did. */
export async function applyMigrations(runner: Runner, session: Session): Promise<MigrationPlan> {
  const { runtime, ordering, views } = session
  const work = async (scope: Scope): Promise<MigrationPlan> => {
    const connection = scope.change()
    const current = await currentMigration(connection)
    if (current === 0) await views.refuseFilled(connection)
    for (const { number, name, script } of missing(current)) {
      await connection.exec(script)
      await connection.run(record, number, name, scope.time)
    }
    if (current === 0) await connection.run(identify, runtime.id())
    if (missing(current).length > 0) await ordering.keep(connection)
    await learn(session, connection)
    return planOf(connection, current)
  }
  // An index of a large table takes as long as it takes.
  try {
    return await runner.write(work, { timeout: Infinity })
  } catch (error) {
    throw isForbidden(error) ? mayNotMigrate(error) : error
  }
}
