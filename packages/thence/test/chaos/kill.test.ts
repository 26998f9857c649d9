// Three worker processes on one SQLite file that are killed without warning, stopped, hung or short of disk, against an
// oracle in a process of its own. Each run prints how many of these hazards struck, and fails if none did.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import {
  acknowledged,
  checkBooks,
  isWritable,
  leasesOf,
  memberOf,
  pending,
  repeated,
  takeovers,
} from './books.ts'
import type { Fellow } from './fleet.ts'
import { begin, said } from './fleet.ts'
import { until } from './until.ts'

/** As often as CI says; a person who only runs the tests waits for a few. */
const loops = Number(process.env['THENCE_CHAOS_LOOPS'] ?? '10')
const patience = { timeout: 600_000 }

interface Bank {
  readonly path: string
  readonly journal: string
  readonly notes: string
}

const newBank = (): Bank => {
  const home = mkdtempSync(join(tmpdir(), 'thence-chaos-'))
  onTestFinished(() => rmSync(home, { recursive: true, force: true }))
  return { path: join(home, 'bank.db'), journal: join(home, 'journal'), notes: join(home, 'notes') }
}

const work = async ({ path, notes }: Bank, leaseTime = '1500ms'): Promise<Fellow> => {
  const worker = begin('worker', path, notes, leaseTime)
  await said(worker, 'ready')
  return worker
}

const numbered = (many: number): readonly string[] =>
  Array.from({ length: many }, (_, index) => `a${index}`)

const count = async ({ path, journal }: Bank, accounts: number): Promise<Fellow> => {
  const one = begin('counter', path, journal, ...numbered(accounts))
  await said(one, 'ready')
  return one
}

const end = async (counter: Fellow): Promise<void> => {
  counter.child.kill('SIGTERM')
  await said(counter, 'done')
}

/** Every run says how often its hazards struck. */
const tell = (what: string, hazards: object): void =>
  void process.stdout.write(`${what}: ${JSON.stringify(hazards)}\n`)

/** Chance that repeats from run to run; what it meets does not. */
const dice = (seed: number): ((sides: number) => number) => {
  let state = seed
  return (sides) => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0
    return (state >>> 16) % sides
  }
}

test(`${loops} kills of three workers lose nothing and double nothing`, patience, async () => {
  const place = newBank()
  const workers = [await work(place), await work(place), await work(place)]
  const counter = await count(place, 12)
  const roll = dice(7)
  let [struck, loaded] = [0, 0]
  for (let loop = 0; loop < loops; loop += 1) {
    const before = acknowledged(place.journal)
    const more = before + 5 + roll(20)
    await until('more deposits', () => (acknowledged(place.journal) >= more ? true : undefined))
    if (pending(place.path) > 0) loaded += 1
    const victim = roll(3)
    workers[victim]?.child.kill('SIGKILL')
    await workers[victim]?.ended
    if (workers[victim]?.child.signalCode === 'SIGKILL') struck += 1
    workers[victim] = await work(place)
  }
  await end(counter)
  const deposits = await checkBooks(place.path, place.journal)
  const hazards = {
    deposits,
    kills: struck,
    'kills while work was waiting': loaded,
    takeovers: takeovers(place.path),
    'done again outside of the store': repeated(place.notes),
  }
  tell('kill -9', hazards)
  expect(struck).toBe(loops)
  expect(loaded).toBeGreaterThan(0)
  expect(hazards.takeovers).toBeGreaterThan(0)
  expect(hazards['done again outside of the store']).toBeGreaterThan(0)
})

/**
 * Stops a worker, but not in the middle of a commit: then it would hold the lock of the file, and nobody could write
 * until it goes on. Gives how often that was met.
 */
const hang = async ({ child }: Fellow, path: string): Promise<number> => {
  for (let met = 0; ; met += 1) {
    child.kill('SIGSTOP')
    if (isWritable(path)) return met
    child.kill('SIGCONT')
  }
}

test(
  'a worker that hangs is replaced, and commits nothing when it wakes up',
  patience,
  async () => {
    const place = newBank()
    const workers = [await work(place), await work(place), await work(place)]
    const counter = await count(place, 12)
    const roll = dice(3)
    let locked = 0
    for (let loop = 0; loop < 8; loop += 1) {
      const victim = workers[roll(3)] as Fellow
      const pid = victim.child.pid ?? 0
      const member = await until('it to be known', () => memberOf(place.path, pid))
      await until('it to run something', () =>
        leasesOf(place.path, member) > 0 ? true : undefined,
      )
      locked += await hang(victim, place.path)
      await until('others to take over', () =>
        leasesOf(place.path, member) === 0 ? true : undefined,
      )
      const more = acknowledged(place.journal) + 50
      await until('more deposits', () => (acknowledged(place.journal) >= more ? true : undefined))
      const told = victim.lines.length
      victim.child.kill('SIGCONT')
      await until('it to notice', () =>
        victim.lines.slice(told).includes('lease-lost') ? true : undefined,
      )
    }
    await end(counter)
    await checkBooks(place.path, place.journal)
    const fenced = workers
      .flatMap(({ lines }) => lines)
      .filter((line) => line === 'lease-lost').length
    tell('SIGSTOP', { takeovers: takeovers(place.path), fenced, 'hung with the lock': locked })
    expect(fenced).toBeGreaterThan(0)
  },
)

const ends = 12

/** Long enough that a loaded machine takes nobody for gone. */
const patientLease = '20s'

test('SIGTERM under load ends in time, loses nothing and burns no attempt', patience, async () => {
  const place = newBank()
  const workers = [await work(place, patientLease), await work(place, patientLease)]
  const counter = await count(place, 12)
  const past: Fellow[] = []
  let loaded = 0
  for (let loop = 0; loop < ends; loop += 1) {
    const more = acknowledged(place.journal) + 10
    await until('more deposits', () => (acknowledged(place.journal) >= more ? true : undefined))
    if (pending(place.path) > 0) loaded += 1
    const leaver = workers[loop % 2] as Fellow
    leaver.child.kill('SIGTERM')
    await leaver.ended
    expect(leaver.child.exitCode).toBe(0)
    past.push(leaver)
    workers[loop % 2] = await work(place, patientLease)
  }
  await end(counter)
  await checkBooks(place.path, place.journal)
  const lines = [...past, ...workers].flatMap((one) => one.lines)
  const times = lines
    .filter((line) => line.startsWith('stopped '))
    .map((line) => Number(line.slice(8)))
  tell('SIGTERM', {
    ends: times.length,
    'under load': loaded,
    longest: Math.max(...times),
    repeated: repeated(place.notes),
  })
  expect(times).toHaveLength(ends)
  expect(Math.max(...times)).toBeLessThan(6000)
  expect(loaded).toBeGreaterThan(0)
  expect(lines.filter((line) => line === 'message-failed')).toEqual([])
  expect(lines.filter((line) => line === 'lease-lost')).toEqual([])
  expect(repeated(place.notes)).toBe(0)
})
