// A disk that is full, on a small file system of its own: what was acknowledged stays, everything else is told with its
// code, and work goes on by itself when there is room again.
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, statfsSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { isThenceError } from 'thence'
import { sqlite } from 'thence/sqlite'
import { expect, onTestFinished, test } from 'vitest'
import { bank, MakeDeposit } from './bank.ts'
import { until } from './until.ts'

/** A file system in memory, of so many KiB, gone when the test is over. */
const disk = (kilobytes: number): { readonly path: string; grow(kilobytes: number): void } => {
  const path = mkdtempSync(join(tmpdir(), 'thence-disk-'))
  const size = `size=${kilobytes}k`
  execFileSync('mount', ['-t', 'tmpfs', '-o', size, 'tmpfs', path])
  onTestFinished(() => {
    execFileSync('umount', ['--lazy', path])
    rmSync(path, { recursive: true, force: true })
  })
  const grow = (to: number): void => void execFileSync('mount', ['-o', `remount,size=${to}k`, path])
  return { path, grow }
}

const isRoot = process.getuid?.() === 0

/** Mounting needs root, as CI is. */
test.skipIf(!isRoot)(
  'a full disk (a file system of its own, which only root can mount) loses nothing, and work goes on when there is room',
  { timeout: 120_000 },
  async () => {
    const small = disk(4000)
    const file = join(small.path, 'bank.db')
    const database = sqlite({ database: new DatabaseSync(file) })
    const failures = new Set<string>()
    const app = await bank(database, { outside: () => undefined, leaseTime: '5s' }).start()
    app.listen((signal) => {
      if (signal.name === 'subscription-failed' && isThenceError(signal.error))
        failures.add(signal.error.code)
    })
    const acknowledged: number[] = []
    const refused = new Set<string>()
    const send = async (n: number): Promise<boolean> => {
      try {
        await app.send(MakeDeposit({ account: 'a', n }, { id: `a/${n}` }))
        acknowledged.push(n)
        return true
      } catch (error) {
        refused.add(isThenceError(error) ? error.code : String(error))
        return false
      }
    }
    let n = 1
    // It may be refused once and find room again when the log behind it is written back: full means for good.
    for (let failed = 0; failed < 20;) {
      if (await send(n)) [n, failed] = [n + 1, 0]
      else failed += 1
    }
    expect([...refused]).toEqual(['STORE_FULL'])
    expect(acknowledged.length).toBeGreaterThan(20)
    const before = acknowledged.length
    small.grow(64_000)
    await until('a deposit', async () => ((await send(n)) ? true : undefined))
    await app.whenIdle()
    const noted = await database.read(({ documents }) => documents.list('noted', { limit: 10_000 }))
    const disorder = await database.read(({ documents }) =>
      documents.list('disorder', { limit: 9 }),
    )
    const letters = await database.read(({ deadLetters }) => deadLetters.counts())
    expect(noted.map(({ value }) => value)).toEqual(Array(acknowledged.length).fill('1'))
    expect(disorder).toEqual([])
    expect(letters.parked).toBe(0)
    await app.stop()
    const raw = new DatabaseSync(file)
    expect(raw.prepare('PRAGMA integrity_check').get()).toEqual({ integrity_check: 'ok' })
    raw.close()
    const { bsize, blocks } = statfsSync(small.path)
    const hazards = { acknowledged: before, refused: [...refused], subscriptions: [...failures] }
    process.stdout.write(`disk full: ${JSON.stringify({ ...hazards, bytes: bsize * blocks })}\n`)
  },
)
