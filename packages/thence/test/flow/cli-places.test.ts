// Where a page begins: what no page can have given is refused, and the end of a list is told as such.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { thence } from '../kit/command.ts'
import { writeTroubledStore } from '../kit/troubled-store.ts'

const folder = mkdtempSync(join(tmpdir(), 'thence-cli-'))
const file = join(folder, 'shop.db')
const cli = (words: string) => thence([...words.split(' '), '--db', file], { cwd: folder })
const patient = { timeout: 60_000 }

beforeAll(() => writeTroubledStore(file))
afterAll(() => rmSync(folder, { recursive: true }))

test.each(['sagas list --all --after zzz', 'audit list --before x', 'jobs list --before zzz'])(
  '%s is refused',
  patient,
  async (words) => {
    const { code, stdout, stderr } = await cli(words)
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
    expect(stderr).toContain('give what the page before gave as next')
  },
)

test.each(['audit list', 'jobs list'])(
  'behind the last page %s has no more',
  patient,
  async (list) => {
    const { code, stderr } = await cli(`${list} --before 00000000-0000-7000-8000-000000000000`)
    expect({ code, stderr }).toEqual({ code: 0, stderr: 'There are no more.\n' })
  },
)
