// A PostgreSQL that is installed on the machine, run for the tests: where npm has none, or to see another version.
import { execFileSync, spawn } from 'node:child_process'
import { chownSync, existsSync, globSync, writeFileSync } from 'node:fs'
import { delimiter, join } from 'node:path'

export interface ServerPlan {
  /** The directory of its own; nothing is in it yet. */
  readonly directory: string
  readonly port: number
  readonly initdb: readonly string[]
  readonly flags: readonly string[]
}

/** Where its programs are, the newest first: in THENCE_POSTGRES_BIN, if that is set; else of one major version, if one is given. */
const places = (version: string): readonly string[] => {
  const given = process.env['THENCE_POSTGRES_BIN']
  if (given !== undefined) return [given]
  const packaged = globSync(`/usr/lib/postgresql/${version === '' ? '*' : version}/bin`)
  const newest = packaged.toSorted((left, right) =>
    right.localeCompare(left, 'en', { numeric: true }),
  )
  const others = version === '' ? (process.env['PATH'] ?? '').split(delimiter) : []
  return [...newest, ...others].filter((place) => existsSync(join(place, 'initdb')))
}

/** It does not run as root, but as the user that it was installed with. */
const runAs = (): { readonly uid: number; readonly gid: number } | undefined => {
  if (process.getuid?.() !== 0) return undefined
  const id = (option: string): number => Number(execFileSync('id', [option, 'postgres']))
  return { uid: id('-u'), gid: id('-g') }
}

/** Starts one and gives how to stop it; undefined if none is installed. */
export async function startInstalled(
  { directory, port, initdb, flags }: ServerPlan,
  version = '',
): Promise<(() => Promise<void>) | undefined> {
  const [place] = places(version)
  if (place === undefined) return undefined
  const user = runAs()
  if (user !== undefined) chownSync(directory, user.uid, user.gid)
  const data = join(directory, 'data')
  const password = join(directory, 'password')
  writeFileSync(password, 'thence\n')
  const role = ['-U', 'thence', '--auth=scram-sha-256', `--pwfile=${password}`]
  execFileSync(join(place, 'initdb'), ['-D', data, ...role, ...initdb], {
    ...user,
    cwd: directory,
    stdio: 'ignore',
  })
  const words = ['-D', data, '-p', String(port), '-c', 'unix_socket_directories=', ...flags]
  const server = spawn(join(place, 'postgres'), words, {
    ...user,
    cwd: directory,
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  const ended = new Promise<void>((resolve) => server.once('close', () => resolve()))
  await new Promise<void>((resolve, reject) => {
    let told = ''
    server.stderr.setEncoding('utf8').on('data', (text: string) => {
      told += text
      if (told.includes('ready to accept connections')) resolve()
    })
    void ended.then(() => reject(new Error(`PostgreSQL did not start: ${told}`)))
  })
  return async () => {
    server.kill('SIGINT')
    await ended
  }
}
