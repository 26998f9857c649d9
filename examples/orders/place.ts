/** Where the history is kept: a file, a PostgreSQL database, or nowhere but in memory. */
import { rmSync } from 'node:fs'
import { relative } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { fileURLToPath } from 'node:url'
import { Pool } from 'pg'
import type { Database } from 'thence'
import { memory } from 'thence/memory'
import { postgres } from 'thence/postgres'
import { sqlite } from 'thence/sqlite'
import type { Args } from './args.ts'
import { UsageError } from './args.ts'

/** Where the history goes if nobody says; made anew by every start. */
const FRESH = fileURLToPath(new URL('orders.db', import.meta.url))

export interface Place {
  readonly database: Database
  /** What names it on the command line; a URL without its password. Null: in memory. */
  readonly name: string | null
  /** The option that takes the name, here and in the `thence` command. */
  readonly option: '--db' | '--store'
}

/** @throws UsageError */
export function placeOf({ db, store, memory: inMemory }: Args): Place {
  if (inMemory) return { database: memory(), name: null, option: '--db' }
  if (store !== undefined) return inServer(store)
  if (db === undefined) for (const end of ['', '-wal', '-shm']) rmSync(FRESH + end, { force: true })
  return inFile(db ?? relative(process.cwd(), FRESH))
}

function inFile(path: string): Place {
  try {
    const database = sqlite({ database: new DatabaseSync(path) })
    return { database, name: path, option: '--db' }
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause)
    throw new UsageError(`--db ${path}: ${reason}. Give a file in a folder that exists.`, { cause })
  }
}

function inServer(store: string): Place {
  const url = new URL(store)
  const schema = url.searchParams.get('schema') ?? 'thence'
  url.searchParams.delete('schema')
  const pool = new Pool({
    connectionString: url.href,
    application_name: 'orders',
    max: 10,
    keepAlive: true,
    connectionTimeoutMillis: 10_000,
  })
  url.password = ''
  url.searchParams.set('schema', schema)
  return { database: postgres({ pool, schema }), name: url.href, option: '--store' }
}
