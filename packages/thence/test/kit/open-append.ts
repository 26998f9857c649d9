// Appends that stay open in a transaction of the user's, on stores of the order `concurrent`, and who waits for them.
import type { Database, Runtime } from 'thence'
import type { PostgresOptions } from 'thence/postgres'
import { virtualRuntime } from 'thence/testing'
import { onTestFinished } from 'vitest'
import { message } from '../../src/conformance/samples.ts'
import type { Transaction } from '../../src/ports/database.ts'
import type { AppendRequest } from '../../src/ports/events.ts'
import { type PostgresPlace, postgresPlace } from './postgres.ts'

export const place = (): PostgresPlace => {
  const one = postgresPlace()
  onTestFinished(() => one.dispose())
  return one
}

export const open = async (
  at: PostgresPlace,
  options: Partial<PostgresOptions> = { order: 'concurrent' },
  runtime: Runtime = virtualRuntime(),
): Promise<Database> => {
  const database = at.connect(options)
  onTestFinished(() => database.close())
  await database.open(runtime)
  await database.migrate()
  return database
}

export const request = (
  stream: string,
  id: string,
  tags: readonly string[] = [],
): AppendRequest => ({
  stream,
  messages: [message(id, { tags })],
})

/** Resolves when so many sessions of the store wait for a lock. */
export const waitedFor = async (at: PostgresPlace, many = 1): Promise<'waits'> => {
  const pool = at.pool()
  onTestFinished(() => pool.end())
  for (;;) {
    const { rowCount } = await pool.query(
      "SELECT FROM pg_locks l JOIN pg_stat_activity a USING (pid) WHERE NOT granted AND a.query LIKE '%' || $1 || '%'",
      [at.schema],
    )
    if (rowCount === many) return 'waits'
  }
}

/** What the user's own transaction has appended, on a connection of its own, until it is ended. */
export const holdingOwn = async (
  at: PostgresPlace,
  database: Database,
  appended: AppendRequest,
) => {
  const pool = at.pool()
  onTestFinished(() => pool.end())
  const client = await pool.connect()
  const query = async (text: string, values: readonly string[]): Promise<readonly unknown[]> =>
    (await client.query(text, [...values])).rows
  await client.query('BEGIN')
  const end = async (how: string): Promise<void> => {
    await client.query(how)
    client.release()
  }
  const own = { library: 'pg', of: client, query }
  const append = ({ events }: Transaction) => events.append(appended)
  const verdict = await database.join!(own, append, { alone: false }).catch(async (error) => {
    await end('ROLLBACK')
    throw error
  })
  return { verdict, client, commit: () => end('COMMIT'), undo: () => end('ROLLBACK') }
}
