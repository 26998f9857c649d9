// How the command says that it cannot: exit codes, errors that name the file, nothing made and nothing changed.
import { migrations } from '../../src/adapters/sqlite/migrations/all.ts'
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { thence } from '../kit/command.ts'
import { desk, patient } from '../kit/desk.ts'
import { writeTroubledStore } from '../kit/troubled-store.ts'

const { folder, file, cli, remove } = desk()

beforeAll(() => writeTroubledStore(file))
afterAll(remove)

test('reading changes not one byte, and makes no file', patient, async () => {
  const before = readFileSync(file)
  for (const words of ['status', 'events tail', 'streams list', 'sagas list', 'migrate --dry-run'])
    expect((await cli(...words.split(' '))).code).toBe(0)
  expect(readFileSync(file).equals(before)).toBe(true)
  const missing = join(folder, 'nowhere.db')
  for (const words of ['status', 'migrate', 'dead-letters redrive x'])
    expect((await thence([...words.split(' '), '--db', missing])).code).toBe(5)
  expect(existsSync(missing)).toBe(false)
})

const ask = async (words: string, db: string | undefined) => {
  const where = db === undefined ? [] : ['--db', db]
  const { code, stdout, stderr } = await thence([...words.split(' '), ...where], { cwd: folder })
  expect(stderr).not.toMatch(/^\s+at /m)
  return { code, stdout, told: stderr.trimEnd() }
}

describe.concurrent('the exit code is', patient, () => {
  test.each([
    ['statsu', 'Did you mean status?'],
    ['streams lst', 'Did you mean list?'],
    ['streams', 'Usage: thence streams'],
    ['streams show', "missing required argument 'name'"],
    ['streams list --limit none', 'whole number'],
    ['events tail --nonsense', 'unknown option'],
    ['dead-letters redrive', 'Say which'],
    ['dead-letters redrive --all', 'Say so with --yes'],
    ['dead-letters redrive --all --subscription mailer', 'Say so with --yes'],
    ['dead-letters discard x', '--reason'],
  ])('2 for %s', async (words, says) => {
    const { code, told, stdout } = await ask(words, file)
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
    expect(told).toMatch(/^(error: |Usage: )/)
    expect(told).toContain(says)
  })

  test('2 without a store, and 2 without a word', async () => {
    expect(await ask('status', undefined)).toMatchObject({ code: 2 })
    expect((await thence([])).code).toBe(2)
  })

  test.each([
    ['streams show order-9', 'There is no stream "order-9"'],
    ['streams show oder-1', 'Did you mean order-1?'],
    ['events show 99999', 'There is no message "99999"'],
    ['why nobody', 'There is no message "nobody"'],
    ['sagas show fulfilment-9', 'There is no saga instance'],
    ['sagas list fulfillment', 'Did you mean fulfilment?'],
    ['dead-letters show x', 'There is no dead letter "x"'],
    ['dead-letters list --subscription mailr', 'Did you mean mailer?'],
    ['rebuild totl', 'Did you mean totals?'],
  ])('3 for %s', async (words, says) => {
    const { code, told } = await ask(words, file)
    expect(code).toBe(3)
    expect(told).toContain('NOT_FOUND')
    expect(told).toContain(says)
  })

  test('1 for what cannot be done', async () => {
    const { code, told } = await ask('rebuild mailer', file)
    expect(code).toBe(1)
    expect(told).toContain('STATE_INVALID  "mailer" is a handler.')
  })

  test('0 for help and version', async () => {
    const help = await thence(['--help'])
    expect(help).toMatchObject({ code: 0, stderr: '' })
    expect(help.stdout).toContain('Exit codes:')
    const { version } = JSON.parse(
      readFileSync(join(import.meta.dirname, '../../package.json'), 'utf8'),
    )
    expect(await thence(['--version'])).toMatchObject({ code: 0, stdout: `${version}\n` })
  })
})

describe.concurrent('5, naming the file, for', patient, () => {
  const place = (name: string) => join(folder, name)

  test('a file that is not there', async () => {
    const { code, told } = await ask('status', 'no-such.db')
    expect(code).toBe(5)
    expect(told).toContain('STORE_MISSING')
    expect(told).toContain(place('no-such.db'))
  })

  test('a directory', async () => {
    mkdirSync(place('folder.db'))
    expect(await ask('status', 'folder.db')).toMatchObject({ code: 5 })
  })

  test('a file that is no database', async () => {
    writeFileSync(place('notes.txt'), 'not a database, '.repeat(1000))
    const { code, told } = await ask('status', 'notes.txt')
    expect(code).toBe(5)
    expect(told).toMatch(/^STORE_CORRUPT {2}notes\.txt: /)
  })

  test('a damaged store', async () => {
    copyFileSync(file, place('damaged.db'))
    const bytes = readFileSync(place('damaged.db'))
    bytes.fill(0x55, 4096)
    writeFileSync(place('damaged.db'), bytes)
    const { code, told } = await ask('status', 'damaged.db')
    expect(code).toBe(5)
    expect(told).toContain('STORE_CORRUPT')
  })

  test("another application's database", async () => {
    const other = new DatabaseSync(place('other.db'))
    other.exec('CREATE TABLE mine (x)')
    other.close()
    const { code, told } = await ask('status', 'other.db')
    expect(code).toBe(5)
    expect(told).toContain('STORE_NOT_MIGRATED  other.db: There are no tables of Thence')
  })

  test('a store of a newer version', async () => {
    copyFileSync(file, place('newer.db'))
    const newer = new DatabaseSync(place('newer.db'))
    newer.exec("INSERT INTO thence_migrations VALUES (999, 'future', 0)")
    newer.close()
    const { code, told } = await ask('status', 'newer.db')
    expect(code).toBe(5)
    expect(told).toContain('STORE_TOO_NEW  newer.db: ')
  })

  test('a store that another process keeps locked', async () => {
    copyFileSync(file, place('busy.db'))
    using busy = new DatabaseSync(place('busy.db'))
    busy.exec('BEGIN IMMEDIATE')
    const { code, told } = await ask('rebuild totals --no-wait', 'busy.db')
    expect(code).toBe(5)
    expect(told).toContain('STORE_BUSY  busy.db: ')
    expect(await ask('status', 'busy.db')).toMatchObject({ code: 0 })
  })
})

describe('migrate', patient, () => {
  const empty = join(folder, 'empty.db')

  test('shows the SQL and runs nothing, then makes a store of an empty file', async () => {
    writeFileSync(empty, '')
    const dry = await thence(['migrate', '--dry-run', '--db', empty])
    expect(dry.code).toBe(0)
    expect(dry.stdout).toContain('-- migration 1: tables')
    expect(dry.stdout).toContain('CREATE TABLE thence_events')
    expect(readFileSync(empty)).toHaveLength(0)
    expect(readdirSync(folder).filter((name) => name.startsWith('empty.db-'))).toEqual([])
    const done = await thence(['migrate', '--db', empty, '--json'])
    expect(JSON.parse(done.stdout)).toMatchObject({
      before: 0,
      applied: migrations.map(({ number }) => ({ number })),
    })
    const again = await thence(['migrate', '--db', empty])
    expect(again).toMatchObject({ code: 0, stdout: '' })
    expect(again.stderr).toContain('Nothing to do')
    expect((await thence(['status', '--db', empty])).stdout).toContain('No app has run')
  })
})
