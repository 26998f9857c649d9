// A redrive in the middle of which a process is lost, or a write: no letter is sent twice, none is left out.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { DatabaseSync } from 'node:sqlite'
import * as admin from 'thence/admin'
import { sqlite } from 'thence/sqlite'
import { virtualRuntime } from 'thence/testing'
import { describe, expect, onTestFinished, test } from 'vitest'
import type { When } from '../kit/faults.ts'
import { faulty, losable } from '../kit/faults.ts'
import type { Kind } from '../kit/places.ts'
import { file, kinds } from '../kit/places.ts'
import type { Post } from '../kit/post-office.ts'
import { letters, returned, startPost } from '../kit/post-office.ts'

const each = (count: number): number[] => letters(count).map(({ n }) => n)
const sorted = (numbers: readonly number[]): number[] => numbers.toSorted((a, b) => a - b)
const patient = { timeout: 120_000 }

describe.each(kinds)('on $name', patient, (kind) => {
  test('2,000 letters go through once each, though the process is lost in the middle', async () => {
    const { place, state, on, test: app } = await returned(kind, 2000)
    const { id } = await admin.startRedrive(on, { subscription: 'carrier' })
    await app.stop()
    let lose = (): void => undefined
    state.tried = (tries) => void (tries === 700 && lose())
    const lost = await startPost(place, state, {
      around: (inner) => {
        const made = losable(inner)
        lose = () => made.lose()
        return made.database
      },
    })
    await lost.test.runtime.advance('10s')
    expect(state.tries.length).toBeGreaterThanOrEqual(700)
    expect(state.tries.length).toBeLessThan(1000)
    const next = await startPost(place, state)
    await next.test.advance('1m')
    expect(await admin.job(next.on, id)).toMatchObject({
      state: 'done',
      progress: { redriven: 2000, resolved: 2000, failed: 0, skipped: 0 },
    })
    expect(sorted(await next.delivered())).toEqual(each(2000))
    expect(await next.counts()).toMatchObject({ parked: 0, redriven: 0, resolved: 2000 })
  })
})

const failures: readonly When[] = ['before the commit', 'after the commit', 'instead of the commit']

test.each(failures)(
  'whichever write fails %s, each letter goes through once',
  patient,
  async (when) => {
    const count = 4
    let struck = 0
    for (let write = 0; write < 30; write += 1) {
      const { place, state, on, test: app } = await returned(kinds[0] as Kind, count)
      await app.stop()
      const made: ReturnType<typeof faulty>[] = []
      let begun = Infinity
      const next = await startPost(place, state, {
        around: (inner) => {
          const one = faulty(inner, (n) => (n === begun + write ? when : undefined))
          made.push(one)
          return one.database
        },
      })
      const database = place.open()
      await database.open(place.runtime)
      const { id } = await admin.startRedrive({ ...on, database }, {})
      begun = made[0]!.writes()
      await next.test.advance('20s')
      struck += made[0]!.failed()
      expect(sorted(await next.delivered()), `write ${write}`).toEqual(each(count))
      const { state: ended, progress } = await admin.job(next.on, id)
      expect({ write, ended, redriven: progress['redriven'] }).toEqual({
        write,
        ended: 'done',
        redriven: count,
      })
      await next.test.stop()
    }
    expect(struck).toBeGreaterThan(10)
  },
)

test('two apps share a redrive, and no letter goes twice', patient, async () => {
  const { place, state, on, delivered, test: app } = await returned(file, 300)
  const other: Post = { broken: new Set(), tries: [] }
  const second = await startPost(place, other)
  const { id } = await admin.startRedrive(on, {})
  await app.runtime.advance('20s')
  await second.test.settle()
  expect(await admin.job(on, id)).toMatchObject({ state: 'done', progress: { redriven: 300 } })
  expect(sorted(await delivered())).toEqual(each(300))
  expect(state.tries.length + other.tries.length).toBe(300)
})

const redriver = join(import.meta.dirname, '../kit/redriver.ts')

/** Starts the program on a file; its lines as they come. */
const start = (path: string) => {
  const child = spawn(process.execPath, ['--conditions=thence-source', redriver, path], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  onTestFinished(() => void child.kill('SIGKILL'))
  const closed = once(child, 'close')
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  return {
    /** Reads on until a line that is wanted; gives how many there were. */
    async until(wanted: (line: string, seen: number) => boolean): Promise<number> {
      for (let seen = 1; ; seen += 1) {
        const { value, done } = await lines.next()
        if (done === true) throw new Error('The program ended.')
        if (wanted(String(value), seen)) return seen
      }
    },
    async kill(): Promise<void> {
      child.kill('SIGKILL')
      await closed
    },
    closed,
  }
}

test(
  '2,000 letters go through once each, though the process is killed in the middle',
  patient,
  async () => {
    const directory = mkdtempSync(join(tmpdir(), 'thence-redrive-'))
    onTestFinished(() => rmSync(directory, { recursive: true, force: true }))
    const path = join(directory, 'store.db')
    const open = () => sqlite({ database: new DatabaseSync(path), synchronous: 'off' })
    const office = await returned(
      { name: 'a file', sql: true, make: () => ({ runtime: virtualRuntime(), open }) },
      2000,
    )
    const { id } = await admin.startRedrive(office.on, { subscription: 'carrier' })
    await office.test.stop()
    for (const tries of [300, 400]) {
      const child = start(path)
      await child.until((_, seen) => seen === tries)
      await child.kill()
    }
    const last = start(path)
    await last.until((line) => line === 'ended done')
    await last.closed
    const {
      on,
      delivered,
      test: app,
    } = await startPost({ runtime: virtualRuntime(), open }, office.state)
    expect(await admin.job(on, id)).toMatchObject({
      state: 'done',
      progress: { redriven: 2000, resolved: 2000, failed: 0 },
    })
    expect(sorted(await delivered())).toEqual(each(2000))
    await app.stop()
  },
)
