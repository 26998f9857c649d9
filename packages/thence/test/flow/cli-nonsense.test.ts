// What cannot be meant is refused with a code, what was given and what to write; nothing is done, and nothing is printed
// that looks as if all were well.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { app, event, handler, plain } from 'thence'
import { sqlite } from 'thence/sqlite'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { thence } from '../kit/command.ts'

const folder = mkdtempSync(join(tmpdir(), 'thence-cli-'))
const file = join(folder, 'tower.db')
const cli = (...args: readonly string[]) => thence([...args, '--db', file], { cwd: folder })
const patient = { timeout: 120_000 }

const Rung = event('Rung', plain<{ n: number }>())

beforeAll(async () => {
  await using tower = await app({
    database: sqlite({ database: new DatabaseSync(file) }),
    logger: false,
  })
    .use(
      handler('ear', Rung, { replay: 'idempotent', run: () => undefined }),
      handler('deaf', Rung, {
        key: ({ data }) => `${data.n}`,
        retry: { attempts: 1 },
        run: ({ data }) => {
          if (data.n === 2) throw new Error('deaf')
        },
      }),
    )
    .start()
  await tower.append({ events: [Rung({ n: 1 }), Rung({ n: 2 }), Rung({ n: 3 })] })
  await tower.whenIdle()
})
afterAll(() => rmSync(folder, { recursive: true }))

const uuid = '01a2073a-b8e3-75ef-bd8f-d20582576d8f'

describe.concurrent('the command ends with 2 for', patient, () => {
  test.each([
    [
      'replay ear --from 100 --to 50',
      'CONFIG_INVALID  The replay to ear is from position 100 to position 50',
    ],
    ['replay ear --from 1h --to 2h --dry-run', 'Give the earlier one as from'],
    ['replay ear --from 10x --dry-run', 'It must be a position such as 120, a time such as'],
    ['replay ear --from 2026-02-30 --dry-run', 'It must be a position such as 120'],
    ['replay ear --from 2026-03-01T12:00 --dry-run', 'a time such as 2026-03-01T12:00Z'],
    [
      'replay ear --in-flight 900',
      'inFlight of the replay is 900; give a whole number from 1 to 500',
    ],
    ['replay ear --type Nope', 'Handler ear takes no "Nope"; it takes Rung'],
    ['dead-letters list --since 1h --until 2h', 'CONFIG_INVALID  since is '],
    ['dead-letters list --since 2h --until 2h', 'Give the earlier one as since'],
    ['dead-letters groups --since 1h --until 2h', 'so that no letter is meant'],
    ['dead-letters redrive --since 1h --until 2h --dry-run', 'so that no letter is meant'],
    ['dead-letters redrive --since 1h --until 2h --yes', 'so that no letter is meant'],
    ['dead-letters discard --since 1h --until 2h --reason x --yes', 'so that no letter is meant'],
    ['dead-letters list --since soon', 'It must be a time such as 2026-03-01T12:00Z'],
    [
      'dead-letters list --after x',
      'CONFIG_INVALID  after is "x"; give what the page before gave as next',
    ],
    ['jobs list --kind bogus', 'CONFIG_INVALID  kind is "bogus"; it is one of redrive, replay.'],
    ['jobs list --kind redrives', 'Did you mean redrive?'],
    [
      'audit list --action bogus',
      'CONFIG_INVALID  action is "bogus"; it is one of dead-letter.discard,',
    ],
    ['audit list --action job.started', 'Did you mean job.start'],
    ['subscriptions pause ear --as ', 'It must say who acts'],
    ['retention run --category log --older-than soon', 'Write it as 30m, 12h or 90d'],
  ])('%s', async (words, says) => {
    const { code, stdout, stderr } = await cli(...words.split(' '))
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
    expect(stderr).toContain(says)
    expect(stderr).not.toMatch(/^\s+at /m)
  })
})

describe.concurrent('the command ends with 3 for', patient, () => {
  test.each([
    [
      'retention run --category log --older-than 0s --ignore eer',
      'There is no subscription "eer" in this store. Did you mean ear?',
    ],
    [`dead-letters redrive --id ${uuid} --dry-run`, `There is no dead letter "${uuid}"`],
    [`dead-letters redrive --id ${uuid} --yes`, `There is no dead letter "${uuid}"`],
    ['dead-letters redrive nope --dry-run', 'There is no dead letter "nope"'],
    ['replay ear --stream nope --dry-run', 'There is no stream "nope" in this store'],
    [
      'schedules cancel nope --yes',
      'There is no schedule "nope" in this store. See: thence schedules list.',
    ],
    ['schedules fire send:nope --yes', 'There is no command for later "send:nope"'],
  ])('%s', async (words, says) => {
    const { code, stdout, stderr } = await cli(...words.split(' '))
    expect({ code, stdout }).toEqual({ code: 3, stdout: '' })
    expect(stderr).toContain(says)
  })
})

test('of all that, nothing was done', patient, async () => {
  const jsonOf = async (...words: readonly string[]) =>
    JSON.parse((await cli(...words, '--json')).stdout)
  expect(await jsonOf('jobs', 'list')).toMatchObject({ jobs: [] })
  expect(await jsonOf('audit', 'list')).toMatchObject({ entries: [] })
  expect(await jsonOf('dead-letters', 'list')).toMatchObject({ deadLetters: [{ state: 'parked' }] })
  expect(await jsonOf('status')).toMatchObject({
    head: 3,
    sizes: { categories: [{ messages: 3 }] },
  })
})

test('one position, and a stretch that has some, are no nonsense', patient, async () => {
  const plan = async (...words: readonly string[]) =>
    JSON.parse((await cli('replay', 'ear', ...words, '--dry-run', '--json')).stdout)
  expect(await plan('--from', '2', '--to', '2')).toMatchObject({ total: 1 })
  expect(await plan('--from', '2h', '--to', '0s')).toMatchObject({ total: 3 })
  expect(await plan('--from', '2026-01-01', '--to', '2')).toMatchObject({ total: 2 })
})

test('a list that is narrowed down does not say that there is nothing', patient, async () => {
  const told = async (...words: readonly string[]) => (await cli(...words)).stderr
  const list = ['dead-letters', 'list'] as const
  expect(await told(...list, '--type', 'Nope')).toBe(
    'No parked dead letter matches; others may be there.\n',
  )
  expect(await told(...list, '--state', 'resolved')).toBe('There is no resolved dead letter.\n')
  expect(await told('streams', 'show', 'log', '--from', '99')).toContain('its last version is 3')
})
