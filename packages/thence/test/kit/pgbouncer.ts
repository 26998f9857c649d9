// PgBouncer in transaction mode in front of a database of its own on the tests' server, so that what is left behind there can only come
// through it.
import { spawn, spawnSync } from 'node:child_process'
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { connect, createServer, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Pool } from 'pg'
import { vi } from 'vitest'

/** Why it does not run here; undefined if it does. */
export const withoutPgBouncer: string | undefined =
  spawnSync('pgbouncer', ['--version']).error === undefined
    ? undefined
    : 'pgbouncer is not installed: apt-get install pgbouncer'

export interface Pooler {
  /** Of the database, through the pooler and to the server itself. */
  readonly url: string
  readonly direct: string
  stop(): Promise<void>
}

const freePort = (): Promise<number> =>
  new Promise((resolve, reject) => {
    const server = createServer()
    server.once('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo
      server.close(() => resolve(port))
    })
  })

/** Resolves when someone listens there. */
const reachable = (port: number): Promise<void> =>
  vi.waitFor(
    () =>
      new Promise<void>((resolve, reject) => {
        const socket = connect(port, '127.0.0.1', () => {
          socket.destroy()
          resolve()
        })
        socket.once('error', reject)
      }),
    { timeout: 10_000, interval: 20 },
  )

/** It refuses to run as root. */
const nobody = process.getuid?.() === 0 ? { uid: 65_534, gid: 65_534 } : {}

export async function startPgBouncer(server: string): Promise<Pooler> {
  const name = `pooled_${Math.random().toString(36).slice(2)}`
  const beside = new Pool({ connectionString: server, max: 1 })
  await beside.query(`CREATE DATABASE ${name}`)
  const { hostname, port: serverPort, username, password } = new URL(server)
  const port = await freePort()
  const directory = mkdtempSync(join(tmpdir(), 'thence-pgbouncer-'))
  chmodSync(directory, 0o755)
  const settings = [
    '[databases]',
    `${name} = host=${hostname} port=${serverPort} user=${username} password=${password}`,
    '[pgbouncer]',
    'pool_mode = transaction',
    'auth_type = any',
    'listen_addr = 127.0.0.1',
    `listen_port = ${port}`,
    'unix_socket_dir =',
    'max_client_conn = 200',
    'default_pool_size = 10',
  ]
  const file = join(directory, 'pgbouncer.ini')
  writeFileSync(file, `${settings.join('\n')}\n`)
  const child = spawn('pgbouncer', ['-q', file], { stdio: 'ignore', ...nobody })
  const ended = new Promise((resolve) => child.once('exit', resolve))
  await reachable(port)
  const at = (host: string): string => `postgres://${username}:${password}@${host}/${name}`
  return {
    url: at(`127.0.0.1:${port}`),
    direct: at(`${hostname}:${serverPort}`),
    async stop() {
      child.kill('SIGKILL')
      await ended
      await beside.query(`DROP DATABASE ${name} WITH (FORCE)`)
      await beside.end()
      rmSync(directory, { recursive: true, force: true })
    },
  }
}
