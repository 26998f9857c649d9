// A server that is restarted in each way, that has no connection left, and that is cut off, or has no room, under load: nothing acknowledged is lost, nothing is done
// twice, what fails says why, and work goes on by itself.
import {
  appendFileSync,
  chownSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { Client } from 'pg'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { counter } from './bank.ts'
import type { Place } from './cluster.ts'
import { clearPlace, Cluster, newPlace, urlOf } from './cluster.ts'
import { newDisk, noDisk } from './disk.ts'
import { network, noNetwork } from './network.ts'
import { openAt } from './place.ts'
import { Load } from './postgres-load.ts'

/** The most sessions that the server takes; three of them are kept for superusers. */
const sessions = 40

const patient = { timeout: 120_000 }

let place: Place
let cluster: Cluster

const tell = (what: string, hazards: unknown): void =>
  void process.stdout.write(`${what}: ${JSON.stringify(hazards)}\n`)

const run = async (url: string, ...statements: readonly string[]): Promise<void> => {
  const client = new Client(url)
  // One that breaks says so to whoever asks it.
  client.on('error', () => undefined)
  await client.connect()
  try {
    for (const statement of statements) await client.query(statement)
  } finally {
    await client.end()
  }
}

/** A database of its own, whose owner is no superuser. */
const newBank = async (
  name: string,
  options = '',
): Promise<{ readonly url: string; readonly home: string }> => {
  await run(urlOf(place), `CREATE DATABASE ${name} OWNER clerk ${options}`)
  const url = `postgres://clerk:clerk@127.0.0.1:${place.port}/${name}?pace=10`
  return { url, home: mkdtempSync(join(dirname(place.directory), 'load-')) }
}

const why = (reason: string | undefined): string =>
  reason === undefined ? '' : ` (not here: ${reason})`

beforeAll(async () => {
  const settings = [`max_connections=${sessions}`, 'listen_addresses=*', 'commit_delay=3000']
  const home = mkdtempSync(join(tmpdir(), 'thence-cluster-'))
  place = await newPlace([...settings, 'commit_siblings=0'], home)
  appendFileSync(join(place.directory, 'pg_hba.conf'), 'host all all 10.0.0.0/8 password\n')
  cluster = new Cluster(place)
  await cluster.start()
  await run(urlOf(place), "CREATE ROLE clerk LOGIN PASSWORD 'clerk'")
}, patient.timeout)

afterAll(async () => {
  await cluster.stop()
  clearPlace(place)
})

test('restarts of a server under load lose nothing', patient, async () => {
  const { url, home } = await newBank('restarts')
  const load = await Load.begin({ url, home })
  const resumed: Record<string, readonly number[]> = {}
  for (const [name, how] of Object.entries({
    smart: 'SIGINT',
    fast: 'SIGINT',
    immediate: 'SIGQUIT',
  } as const)) {
    // It takes nobody new and waits for those that are there, for ever; an operator loses patience when a stranger is refused.
    if (name === 'smart') await cluster.endInVain()
    await cluster.stop(how)
    await cluster.start()
    resumed[name] = await load.goesOn()
  }
  const hazards = await load.check(url)
  tell('restarts of PostgreSQL', { ...hazards, 'until acknowledged, worked (ms)': resumed })
  expect(Object.keys(hazards.refused)).toContain('STORE_FAILED')
})

/** Takes all sessions that a server gives, and ends them together. */
const crowd = async (url: string): Promise<{ readonly size: number; leave(): Promise<void> }> => {
  const clients: Client[] = []
  const come = async (): Promise<void> => {
    const client = new Client(url)
    client.on('error', () => undefined)
    try {
      await client.connect()
      clients.push(client)
    } catch {
      // No session is left.
    }
  }
  await Promise.all(Array.from({ length: 300 }, come))
  const leave = async (): Promise<void> =>
    void (await Promise.all(clients.map((client) => client.end())))
  return { size: clients.length, leave }
}

test(
  'no connection left: it is said, and work goes on when there are some again',
  patient,
  async () => {
    const { url, home } = await newBank('storm')
    const load = await Load.begin({ url, home })
    const crowds = [await crowd(url)]
    // Sessions of the store are ended, and strangers take their places.
    for (let round = 0; round < 3; round += 1) {
      await run(
        urlOf(place).replace(/postgres$/, 'storm'),
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = 'storm' AND pid <> pg_backend_pid()",
      )
      crowds.push(await crowd(url))
    }
    await expect(counter(openAt(url)).start()).rejects.toMatchObject({
      code: 'STORE_FAILED',
      message: expect.stringMatching(/no connection left.*max_connections/),
    })
    await Promise.all(crowds.map((one) => one.leave()))
    const resumed = await load.goesOn()
    const hazards = await load.check(url)
    tell('no connection left', { ...hazards, 'until acknowledged, worked (ms)': resumed })
    expect(hazards.refused['STORE_FAILED']).toBeGreaterThan(0)
  },
)

test(
  'statements that the server gives up are refused, and nothing of them stays',
  patient,
  async () => {
    const { url, home } = await newBank('hasty')
    await run(urlOf(place), "ALTER DATABASE hasty SET statement_timeout = '300ms'")
    const load = await Load.begin({ url, home })
    const stranger = new Client(url)
    await stranger.connect()
    await stranger.query('BEGIN; LOCK TABLE thence.events IN EXCLUSIVE MODE')
    await load.refused('STORE_FAILED')
    await stranger.end()
    const resumed = await load.goesOn()
    const hazards = await load.check(url)
    tell('statements given up', { ...hazards, 'until acknowledged, worked (ms)': resumed })
    expect(hazards.why['STORE_FAILED']).toMatch(/longer than statementTimeout.*rolled back/)
  },
)

test.skipIf(noNetwork !== undefined)(
  `a network that is cut in silence${why(noNetwork)}`,
  patient,
  async () => {
    const { url, home } = await newBank('cut')
    const cable = network()
    const away = `${url.replace('127.0.0.1', cable.address)}&patience=1000`
    const load = await Load.begin({ url: away, home, by: cable.inside })
    cable.cut()
    await load.unanswered()
    cable.mend()
    const resumed = await load.goesOn()
    const hazards = await load.check(url)
    tell('network cut', { ...hazards, 'until acknowledged, worked (ms)': resumed })
    expect(hazards.inDoubt + (hazards.refused['STORE_FAILED'] ?? 0)).toBeGreaterThan(0)
  },
)

/** Writes a mebibyte to the write-ahead log. */
const logged = "SELECT pg_logical_emit_message(false, '', repeat('x', 1048576))"

/** Puts the write-ahead log of a server that does not run elsewhere. */
const moveLog = (directory: string, to: string): void => {
  const from = join(directory, 'pg_wal')
  const { uid, gid } = statSync(directory)
  cpSync(from, to, { recursive: true })
  for (const one of [
    to,
    ...readdirSync(to, { recursive: true, encoding: 'utf8' }).map((name) => join(to, name)),
  ])
    chownSync(one, uid, gid)
  rmSync(from, { recursive: true })
  symlinkSync(to, from)
}

describe.skipIf(noDisk !== undefined)(`a disk that is full${why(noDisk)}`, patient, () => {
  test('of the tables: it is said, and work goes on when there is room', async () => {
    const disk = newDisk(64)
    const { uid, gid } = statSync(place.directory)
    const tables = join(disk.directory, 'tables')
    mkdirSync(tables)
    chownSync(tables, uid, gid)
    await run(urlOf(place), `CREATE TABLESPACE small LOCATION '${tables}'`)
    const { url, home } = await newBank('small', 'TABLESPACE small')
    const load = await Load.begin({ url, home })
    disk.fill()
    await load.refused('STORE_FULL')
    disk.clear()
    const resumed = await load.goesOn()
    const hazards = await load.check(url)
    tell('disk of the tables full', { ...hazards, 'until acknowledged, worked (ms)': resumed })
    await run(urlOf(place), 'DROP DATABASE small WITH (FORCE)', 'DROP TABLESPACE small')
  })

  test('of the log of the server, which breaks down: work goes on when there is room', async () => {
    const disk = newDisk(64)
    const directory = mkdtempSync(join(tmpdir(), 'thence-cluster-'))
    const own = await newPlace(['min_wal_size=2MB', 'max_wal_size=2MB'], directory, [
      '--wal-segsize=1',
    ])
    onTestFinished(() => clearPlace(own))
    moveLog(own.directory, join(disk.directory, 'log'))
    const server = new Cluster(own)
    await server.start()
    // A replica that is gone for ever keeps the server from clearing away what it would need.
    await run(urlOf(own), "SELECT pg_create_physical_replication_slot('gone', true)")
    const url = `${urlOf(own)}?pace=10`
    const load = await Load.begin({ url, home: mkdtempSync(join(directory, 'load-')) })
    disk.fill()
    // What room it had taken before is used up by a stranger.
    await expect(run(urlOf(own), ...Array.from({ length: 60 }, () => logged))).rejects.toThrow(
      /space|connect|terminat|recovery|start/i,
    )
    await load.refused('STORE_FAILED')
    disk.clear()
    await server.back()
    const resumed = await load.goesOn()
    const hazards = await load.check(url)
    tell('disk of the log full', { ...hazards, 'until acknowledged, worked (ms)': resumed })
    // What a server says that breaks down is no answer: the commit may be on its disk.
    expect(Object.keys(hazards.refused)).not.toContain('STORE_FULL')
  })
})
