// The server and the workers on it are killed without warning under load, by a process of its own; the oracle is this one. A run in which
// hardly any commit was in doubt shows nothing, and fails.
import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { repeated } from './books.ts'
import { clearPlace, newPlace, urlOf } from './cluster.ts'
import type { Fellow } from './fleet.ts'
import { begin, said } from './fleet.ts'
import type { Tally } from './place.ts'
import { checkServerBooks } from './postgres-books.ts'
import { Readers } from './reader.ts'

const asked = Number(process.env['THENCE_CHAOS_LOOPS'] ?? '10')

/** Of what kills of processes alone take: a server needs its time to recover. */
const orders = [
  { order: 'sequenced', loops: Math.max(5, Math.round(asked * 0.06)) },
  { order: 'concurrent', loops: Math.max(4, Math.round(asked * 0.04)) },
] as const

const durable = ['fsync=on', 'synchronous_commit=on', 'full_page_writes=on']

/** So that a kill meets most commits while they are written: a commit waits before it goes to the disk, in microseconds. */
const slowDisk = ['commit_delay=30000', 'commit_siblings=0']

interface Strike {
  readonly what?: 'server' | 'session' | 'worker'
  /** Until the next acknowledgement, and the next effect of a worker, in milliseconds. */
  readonly times: readonly [number, number]
}

/** What a fellow told behind this word. */
const toldBy = <T>(fellow: Fellow, word: string): T[] =>
  fellow.lines
    .filter((line) => line.startsWith(`${word} `))
    .map((line) => JSON.parse(line.slice(word.length + 1)) as T)

const sum = (numbers: readonly number[]): number => numbers.reduce((left, right) => left + right, 0)

test.for(orders)(
  'kills of the server, its sessions and the workers lose nothing and double nothing: $order, $loops times',
  { timeout: 60_000 + Math.max(...orders.map(({ loops }) => loops)) * 10_000 },
  async ({ order, loops }) => {
    const home = mkdtempSync(join(tmpdir(), 'thence-cluster-'))
    const place = { ...(await newPlace([...durable, ...slowDisk], home)), order }
    onTestFinished(() => clearPlace(place))
    const url = urlOf(place)
    const journal = join(home, 'journal')
    const counts = ['a', 'b', 'c', 'd'].map((one) => [`${one}1`, `${one}2`])
    const accounts = String(counts.flat().length)
    const killer = begin('killer', JSON.stringify(place), home, String(loops), accounts)
    await said(killer, 'ready')
    const readers = new Readers(url, 2)
    const counters = counts.map((some) => begin('counter', url, journal, ...some))
    await said(killer, 'done', 30_000 + loops * 10_000)
    for (const { child } of counters) child.kill('SIGTERM')
    for (const one of counters) await said(one, 'done')
    const deposits = await checkServerBooks(url, journal)
    const { log, read } = await readers.atEnd()
    for (const ids of read) expect(ids, 'read, in the order of the log').toEqual(log)
    killer.child.kill('SIGTERM')
    await killer.ended

    const strikes = toldBy<Strike>(killer, 'struck')
    const tallies = counters.flatMap((one) => toldBy<Tally>(one, 'tally'))
    const [commits, inDoubt] = [
      sum(tallies.map((one) => one.commits)),
      sum(tallies.map((one) => one.inDoubt)),
    ]
    const count = (what: Strike['what']): number =>
      strikes.filter((one) => one.what === what).length
    const timesOf = (which: 0 | 1): readonly number[] =>
      strikes.map(({ times }) => Math.round(times[which])).toSorted((one, other) => one - other)
    const median = (which: 0 | 1): number => timesOf(which)[Math.floor(loops / 2)] ?? Infinity
    const slow = (which: 0 | 1): number => timesOf(which).filter((time) => time >= 5000).length
    const hazards = {
      deposits,
      'kills of the server': count('server'),
      'of a session': count('session'),
      'of a worker': count('worker'),
      commits,
      'in doubt': inDoubt,
      'of those done': deposits - commits,
      'done again outside of the store': repeated(join(home, 'notes')),
      'until acknowledged: median, longest (ms), over 5 s': [median(0), timesOf(0).at(-1), slow(0)],
      'until worked: median, longest (ms), over 5 s': [median(1), timesOf(1).at(-1), slow(1)],
    }
    process.stdout.write(`kill -9 of PostgreSQL, ${order}: ${JSON.stringify(hazards)}\n`)
    expect(strikes).toHaveLength(loops)
    expect(count('server')).toBeGreaterThan(loops / 3)
    expect(inDoubt / (commits + inDoubt)).toBeGreaterThan(0.1)
    // From when the server took connections again. The longest are told; on a machine that does other things too they say little.
    expect(median(0)).toBeLessThan(5000)
    expect(median(1)).toBeLessThan(5000)
  },
)
