// The audit log on the command line: who did what with the command, and how it is shown.
import { hostname, userInfo } from 'node:os'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { plain } from '../kit/command.ts'
import { desk, patient } from '../kit/desk.ts'
import { hostile, writeTroubledStore } from '../kit/troubled-store.ts'

const { file, cli, remove } = desk()

beforeAll(() => writeTroubledStore(file))

afterAll(remove)

test('acts are listed with who did them, by the system or by what they say', patient, async () => {
  const none = await cli('audit', 'list')
  expect(none).toMatchObject({
    code: 0,
    stdout: '',
    stderr: 'The audit log has no such entry.\n',
  })
  const listed = await cli('dead-letters', 'list', '--json')
  const [{ id }] = JSON.parse(listed.stdout).deadLetters
  await cli('dead-letters', 'discard', id, '--reason', `told${hostile}`, '--as', 'ann')
  await cli('rebuild', 'totals', '--no-wait')
  const { code, stdout } = await cli('audit', 'list')
  expect(code).toBe(0)
  const me = `${userInfo().username}@${hostname()}`
  // How much fits into the last column depends on the width of the times.
  const shown = plain(stdout)
    .replace(me, 'ME')
    .replace(/(key=order-1).*$/m, '$1 …')
  expect(shown).toMatchInlineSnapshot(`
      "WHEN  ACTOR  ACTION  TARGET  WHY AND WHAT
      WHEN  ME  projection.rebuild  totals  version=2  switch=auto
      WHEN  ann  dead-letter.discard  UUID  "told [2J ]0;owned  FORGED  line  31m"  subscription=mailer  key=order-1 …"
    `)
  const page = await cli(
    'audit',
    'list',
    '--action',
    'projection.rebuild',
    '--limit',
    '1',
    '--json',
  )
  const { entries, next } = JSON.parse(page.stdout)
  expect(entries).toEqual([
    {
      id: next,
      time: expect.any(Number),
      actor: me,
      action: 'projection.rebuild',
      target: 'totals',
      details: { version: 2, switch: 'auto' },
      reason: null,
    },
  ])
  const before = await cli('audit', 'list', '--before', next, '--target', id)
  expect(before.stdout.trim().split('\n')).toHaveLength(2)
})
