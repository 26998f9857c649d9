// Where a page begins: what no page can have given is refused, and the end of a list is told as such.
import { afterAll, beforeAll, expect, test } from 'vitest'
import { desk, patient } from '../kit/desk.ts'
import { writeTroubledStore } from '../kit/troubled-store.ts'

const { file, cli, remove } = desk()

beforeAll(() => writeTroubledStore(file))
afterAll(remove)

test.each([
  'sagas list --all --after zzz',
  'audit list --before x',
  'jobs list --before zzz',
  'dead-letters list --after zzz',
])('%s is refused', patient, async (words) => {
  const { code, stdout, stderr } = await cli(...words.split(' '))
  expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
  expect(stderr).toContain('give what the page before gave as next')
})

test.each(['audit list', 'jobs list'])(
  'behind the last page %s has no more',
  patient,
  async (list) => {
    const { code, stderr } = await cli(
      ...list.split(' '),
      '--before',
      '00000000-0000-7000-8000-000000000000',
    )
    expect({ code, stderr }).toEqual({ code: 0, stderr: 'There are no more.\n' })
  },
)
