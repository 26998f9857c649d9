// The doctor of a store in a file, on the command line.
import { readFileSync, writeFileSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { sqlite } from 'thence/sqlite'
import { testApp } from 'thence/testing'
import { expect, onTestFinished, test } from 'vitest'
import { plain } from '../kit/command.ts'
import { desk, patient } from '../kit/desk.ts'

const kept = async () => {
  const at = desk()
  onTestFinished(at.remove)
  await using _app = await testApp((builder) => builder, {
    database: sqlite({ database: new DatabaseSync(at.file) }),
  })
  return at
}

const changed = (file: string, sql: string): void => {
  using database = new DatabaseSync(file)
  database.exec(sql)
}

test('a sound store needs nothing', patient, async () => {
  const { cli, file, jsonOf } = await kept()
  const { code, stdout, stderr } = await cli('doctor')
  expect({ code, stderr }).toEqual({ code: 0, stderr: 'Nothing needs attention.\n' })
  expect(
    plain(stdout)
      .replace(file, 'shop.db')
      .replaceAll(/\d+ (%|tables)/g, 'N $1'),
  ).toMatchInlineSnapshot(`
    "shop.db

    CHECK  STATE  WHAT
    schema  ok  N tables and indexes, as the migrations make them
    file  ok  not damaged
    space  ok  SIZE, N % of it free
    log  ok  journal_mode wal"
  `)
  expect(await jsonOf('doctor')).toMatchObject({ store: file, attention: 0 })
})

test('what differs from the migrations is named, and the exit code tells', patient, async () => {
  const { cli, file } = await kept()
  changed(file, 'ALTER TABLE thence_timers ADD COLUMN note TEXT')
  const { code, stdout, stderr } = await cli('doctor')
  expect({ code, stderr }).toEqual({ code: 1, stderr: '2 findings to look after.\n' })
  expect(plain(stdout)).toContain(
    'schema  error  table thence_timers is not as the migrations make it',
  )
  changed(file, 'DROP INDEX thence_events_type')
  const refused = await cli('doctor')
  expect(refused).toMatchObject({ code: 5 })
  expect(refused.stderr).toContain('not thence_events_type')
})

test('a damaged file is told of', patient, async () => {
  const { cli, file } = await kept()
  changed(
    file,
    'PRAGMA journal_mode = delete; WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2000) ' +
      "INSERT INTO thence_documents SELECT 'c', 'key' || i, hex(randomblob(100)) FROM n",
  )
  const bytes = readFileSync(file)
  bytes.fill(0x55, bytes.length - 8192, bytes.length - 4096)
  writeFileSync(file, bytes)
  const { code, stdout, stderr } = await cli('doctor')
  expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringContaining('to look after') })
  expect(plain(stdout)).toMatch(/\nfile {2}error {2}/)
})
