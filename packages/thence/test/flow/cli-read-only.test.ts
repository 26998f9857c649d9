// A store that may only be read: on a file system that is mounted so, as whoever may not write to its directory has it.
import { execFileSync } from 'node:child_process'
import {
  appendFileSync,
  copyFileSync,
  existsSync,
  mkdtempSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { describe, expect, onTestFinished, test } from 'vitest'
import { stillOf } from '../../src/cli/still.ts'
import { thence } from '../kit/command.ts'
import { writeTroubledStore } from '../kit/troubled-store.ts'

/** A file system in memory that can be written to until it is sealed, gone when the test is over. */
const disk = (): {
  readonly path: string
  readonly seal: () => void
  readonly open: () => void
} => {
  const path = mkdtempSync(join(tmpdir(), 'thence-disk-'))
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=32m', 'tmpfs', path])
  onTestFinished(() => {
    execFileSync('umount', ['--lazy', path])
    rmSync(path, { recursive: true, force: true })
  })
  const remount = (how: 'ro' | 'rw') => execFileSync('mount', ['-o', `remount,${how}`, path])
  return { path, seal: () => void remount('ro'), open: () => void remount('rw') }
}

const isRoot = process.getuid?.() === 0

/** Mounting needs root, as CI is; and whoever is root may write wherever a file system lets anyone. */
describe.skipIf(!isRoot)(
  'a store on a file system that may only be read (which only root can mount)',
  { timeout: 120_000 },
  () => {
    test('is looked at, without a file beside it', async () => {
      const { path, seal } = disk()
      const file = join(path, 'shop.db')
      await writeTroubledStore(file)
      seal()
      for (const words of ['status', 'metrics', 'events tail', 'sagas list', 'migrate --dry-run']) {
        const { code, stderr } = await thence([...words.split(' '), '--db', file])
        expect({ words, code, stderr: code === 0 ? '' : stderr }).toEqual({
          words,
          code: 0,
          stderr: '',
        })
      }
      const { stdout } = await thence(['status', '--json', '--db', file])
      expect(JSON.parse(stdout)).toMatchObject({ head: 25, deadLetters: { parked: 2 } })
      expect([existsSync(`${file}-wal`), existsSync(`${file}-shm`)]).toEqual([false, false])
    })

    test('is not watched, and is not written to: both say what to do', async () => {
      const { path, seal } = disk()
      const file = join(path, 'shop.db')
      await writeTroubledStore(file)
      seal()
      const watched = await thence(['events', 'tail', '--follow', '--db', file])
      expect(watched.code).toBe(5)
      expect(watched.stderr).toContain('STORE_READ_ONLY')
      expect(watched.stderr).toContain('Look once, without watching')
      const written = await thence(['subscriptions', 'pause', 'mailer', '--db', file])
      expect(written.code).toBe(5)
      expect(written.stderr).toContain('STORE_READ_ONLY')
    })

    test('that was not closed is not read without its last writes', async () => {
      const { path, seal } = disk()
      const file = join(path, 'shop.db')
      await writeTroubledStore(file)
      // As a process that was killed leaves it.
      const open = new DatabaseSync(file)
      open.exec("PRAGMA wal_autocheckpoint = 0; UPDATE thence_documents SET value = value || ' '")
      copyFileSync(file, join(path, 'killed.db'))
      copyFileSync(`${file}-wal`, join(path, 'killed.db-wal'))
      open.close()
      seal()
      const { code, stdout, stderr } = await thence(['status', '--db', join(path, 'killed.db')])
      expect({ code, stdout }).toEqual({ code: 5, stdout: '' })
      expect(stderr).toContain('STORE_READ_ONLY')
      expect(stderr).toContain('copy both files to a directory of your own')
    })

    test('that somebody opens meanwhile is told as torn', async () => {
      const { path, seal, open } = disk()
      const file = join(path, 'shop.db')
      await writeTroubledStore(file)
      seal()
      const still = stillOf(file)
      expect(still?.check()).toBeUndefined()
      open()
      writeFileSync(`${file}-wal`, '')
      expect(() => still?.check()).toThrow(expect.objectContaining({ code: 'STORE_BUSY' }))
      rmSync(`${file}-wal`)
      appendFileSync(file, '')
      expect(stillOf(file)).toBeUndefined()
    })
  },
)
