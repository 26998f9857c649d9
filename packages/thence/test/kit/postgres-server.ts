// A PostgreSQL server for the tests: the one in THENCE_POSTGRES_URL, else one of its own that is thrown away when the run is
// over: that of npm, or else one that is installed; with THENCE_POSTGRES_VERSION an installed one of that major version, with
// THENCE_POSTGRES_BIN the one whose programs are in that directory. It is started once for all test files, which find it by `inject('postgres')`.
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestProject } from 'vitest/node'
import { loadEmbedded } from './embedded.ts'
import type { ServerPlan } from './postgres-installed.ts'
import { startInstalled } from './postgres-installed.ts'

declare module 'vitest' {
  export interface ProvidedContext {
    /** Where the server is. */
    readonly postgres: string
  }
}

export const freePort = (): Promise<number> =>
  new Promise((resolve, reject) => {
    const server = createServer()
    server.once('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo
      server.close(() => resolve(port))
    })
  })

/** Starts that of npm and gives how to stop it; undefined where npm has none for this machine. */
const startEmbedded = async ({
  directory,
  port,
  initdb,
  flags,
}: ServerPlan): Promise<(() => Promise<void>) | undefined> => {
  const EmbeddedPostgres = await loadEmbedded()
  if (EmbeddedPostgres === undefined) return undefined
  const server = new EmbeddedPostgres({
    databaseDir: join(directory, 'data'),
    user: 'thence',
    password: 'thence',
    port,
    persistent: false,
    // As root the server is run by a user of its own, who must reach the directory.
    createPostgresUser: process.getuid?.() === 0,
    initdbFlags: [...initdb],
    postgresFlags: [...flags],
    onLog: () => undefined,
    onError: () => undefined,
  })
  if (process.getuid?.() === 0) execFileSync('chmod', ['755', directory])
  await server.initialise()
  await server.start()
  return () => server.stop()
}

export interface RunningServer {
  readonly url: string
  stop(): Promise<void>
}

/** Starts one that is thrown away when it is stopped; `more` are settings beside those of the run. */
export async function startServer(more: readonly string[] = []): Promise<RunningServer> {
  const directory = mkdtempSync(join(tmpdir(), 'thence-postgres-'))
  const port = await freePort()
  // That commits survive a power cut is not what these tests can see.
  const settings = [
    'listen_addresses=127.0.0.1',
    'max_connections=300',
    'fsync=off',
    'max_prepared_transactions=20',
    ...more,
  ]
  const plan: ServerPlan = {
    directory,
    port,
    initdb: ['--encoding=UTF8', '--locale=C', '--no-sync'],
    flags: settings.flatMap((setting) => ['-c', setting]),
  }
  const version = process.env['THENCE_POSTGRES_VERSION']
  const isChosen = (version ?? process.env['THENCE_POSTGRES_BIN']) !== undefined
  const stop = isChosen
    ? await startInstalled(plan, version)
    : ((await startEmbedded(plan)) ?? (await startInstalled(plan)))
  if (stop === undefined)
    throw new Error(
      `No PostgreSQL ${version ?? ''} for the tests. Install one, or set THENCE_POSTGRES_URL.`,
    )
  return {
    url: `postgres://thence:thence@127.0.0.1:${port}/postgres`,
    async stop() {
      await stop()
      rmSync(directory, { recursive: true, force: true })
    },
  }
}

/**
 * One on which nobody else writes, not even its upkeep: for what goes by the oldest transaction of a server. Yours, if THENCE_POSTGRES_URL is set.
 */
export const startQuietServer = async (): Promise<RunningServer> => {
  const given = process.env['THENCE_POSTGRES_URL']
  if (given !== undefined) return { url: given, stop: async () => undefined }
  return startServer(['autovacuum=off'])
}

export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const given = process.env['THENCE_POSTGRES_URL']
  if (given !== undefined) {
    project.provide('postgres', given)
    return async () => undefined
  }
  const server = await startServer()
  project.provide('postgres', server.url)
  return () => server.stop()
}
