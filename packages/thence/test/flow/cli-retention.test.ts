// What is kept for how long, and removing what is old, on the command line.
import { cpSync, existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { aggregate, command } from 'thence'
import { event, plain as data } from 'thence'
import { sqlite } from 'thence/sqlite'
import { testApp } from 'thence/testing'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { plain } from '../kit/command.ts'
import { desk, patient } from '../kit/desk.ts'

const { folder, file, cli, jsonOf, remove } = desk()
const written = join(folder, 'written.db')
const archive = join(folder, 'old.jsonl')

const Clicked = event('Clicked', data<{ n: number }>())
const Paid = event('Paid', data<{ n: number }>())
const Open = command('Open', data<{ id: string }>())
const Opened = event('Opened', data<null>())

const account = aggregate('account', {
  initial: () => null,
  evolve: (on) => on(Opened, () => null),
  decide: (on) => on(Open, () => Opened(null)),
  stream: ({ data: { id } }) => id,
})

/** A store that was written a hundred days ago, by an app that keeps clicks for thirty. */
const writeOldStore = async (): Promise<void> => {
  const open = () => sqlite({ database: new DatabaseSync(written), synchronous: 'off' })
  const start = Date.now() - 100 * 86_400_000
  const first = await testApp(
    (app) =>
      app
        .use(account)
        .handle('mail', Clicked, () => undefined)
        .handle('till', Paid, () => undefined),
    { database: open(), start },
  )
  const click = (stream: string, n: number) => first.app.append({ stream, events: Clicked({ n }) })
  await click('clicks-1', 1)
  await click('clicks-1', 2)
  await click('clicks-2', 3)
  await first.app.append({ stream: 'cash', events: Paid({ n: 4 }) })
  await first.app.send(Open({ id: 'a' }))
  await first.settle()
  await first.stop()
  const second = await testApp(
    (app) =>
      app
        .use(account)
        .handle('mail', Clicked, () => undefined)
        .messages(Paid),
    {
      database: open(),
      start: start + 60_000,
      retention: {
        log: [
          { category: 'clicks', olderThan: '30d' },
          { stream: 'cash', olderThan: '60d', archive: () => undefined },
        ],
        audit: '365d',
      },
    },
  )
  await second.app.append({ stream: 'cash', events: Paid({ n: 5 }) })
  await second.settle()
  await second.stop()
}

beforeAll(writeOldStore)
beforeEach(() => {
  cpSync(written, file)
  rmSync(archive, { force: true })
})
afterAll(remove)

const archived = () =>
  readFileSync(archive, 'utf8')
    .trimEnd()
    .split('\n')
    .map((one) => JSON.parse(one))

const logOf = async () => {
  const { stdout } = await cli('events', 'tail', '--after', '0', '--json')
  return stdout
    .trimEnd()
    .split('\n')
    .map((one) => JSON.parse(one))
}

describe('retention show', patient, () => {
  test('tells the policy, what came of it and how large the log is', async () => {
    expect(plain((await cli('retention', 'show')).stdout)).toMatchInlineSnapshot(`
      "WHAT GOES  OLDER THAN  ARCHIVED
      category clicks: messages  SPAN  -
      stream cash: messages  SPAN  by the app
      audit  SPAN  -
      The app looks every SPAN.
      Nothing was removed so far.

      CATEGORY  MESSAGES  SIZE  STREAMS  REMOVED  UP TO
      clicks  3  SIZE  2  -  -
      cash  2  SIZE  1  -  -
      account  1  SIZE  1  -  -"
    `)
  })

  test('is one document for programs', async () => {
    const found = await jsonOf('retention', 'show')
    expect(found.policy.rules).toMatchObject([
      { name: 'category clicks: messages', age: 2_592_000_000, archived: false },
      { name: 'stream cash: messages', archived: true },
    ])
    expect(found.last).toBeNull()
    expect(found.categories[2]).toMatchObject({ category: 'clicks', messages: 3, streams: 2 })
  })
})

describe('retention run', patient, () => {
  test.each([
    ['--category', 'clicsk', 'There is no category "clicsk" in this store. Did you mean clicks?'],
    ['--category', 'nosuch', 'See: thence retention show.'],
    ['--stream', 'clicks-3', 'There is no stream "clicks-3" in this store.'],
    ['--ignore', 'mial', 'Did you mean mail or till?'],
  ])('of %s %s, which nobody has, says so and makes no file', async (option, name, says) => {
    const age = option === '--ignore' ? [] : ['--older-than', '90d']
    for (const dry of [[], ['--dry-run']]) {
      const words = [option, name, ...age, ...dry, '--archive', archive]
      const { code, stdout, stderr } = await cli('retention', 'run', ...words)
      expect({ code, stdout }).toEqual({ code: 3, stdout: '' })
      expect(stderr).toContain('NOT_FOUND')
      expect(stderr).toContain(says)
    }
    expect(existsSync(archive)).toBe(false)
  })

  test('of which nothing is old enough leaves no empty file', async () => {
    const young = ['--stream', 'cash', '--older-than', '101d', '--archive', archive]
    expect((await cli('retention', 'run', ...young)).code).toBe(0)
    expect(existsSync(archive)).toBe(false)
    const nowhere = join(folder, 'nowhere', 'old.jsonl')
    const { code, stderr } = await cli('retention', 'run', '--archive', nowhere)
    expect(code).toBe(2)
    expect(stderr).toContain('cannot be written to, so nothing was removed')
    expect(await logOf()).toHaveLength(6)
  })

  test('removes what the policy says, and leaves to the app what that archives', async () => {
    const { code, stdout } = await cli('retention', 'run', '--as', 'ann')
    expect(code).toBe(0)
    expect(plain(stdout)).toMatchInlineSnapshot(`
      "RULE  REMOVED  STREAMS  ENDED  ARCHIVED
      category clicks: messages  3  2  0  0
      audit: 0 rows removed
      stream cash: messages: left to the app, which archives; or give --archive FILE"
    `)
    expect((await logOf()).map(({ type }) => type)).toEqual(['Paid', 'Opened', 'Paid'])
    expect(plain((await cli('streams', 'list', 'clicks')).stdout)).toMatchInlineSnapshot(`
      "STREAM  VERSION  POSITION  LAST  STATE
      clicks-1  2  2  WHEN  removed up to 2
      clicks-2  1  3  WHEN  removed up to 1"
    `)
    const [act] = (await jsonOf('audit', 'list')).entries
    expect(act).toMatchObject({ actor: 'ann', action: 'retention.run' })
  })

  test('archives before it removes, line by line, and keeps what nobody has read', async () => {
    const before = await logOf()
    writeFileSync(archive, '{"torn":')
    const { stdout } = await cli('retention', 'run', '--archive', archive)
    expect(plain(stdout)).toMatchInlineSnapshot(`
      "RULE  REMOVED  STREAMS  ENDED  ARCHIVED
      category clicks: messages  3  2  0  3
      stream cash: messages  1  1  0  1
      audit: 0 rows removed

      KEPT BY RULE  WHY  FOR  STREAM  POSITION
      stream cash: messages  not read yet  till  cash  6"
    `)
    const [torn, ...lines] = readFileSync(archive, 'utf8').trimEnd().split('\n')
    expect(torn).toBe('{"torn":')
    expect(lines.map((one) => JSON.parse(one))).toEqual(before.slice(0, 4))
    expect((await logOf()).map(({ type, version }) => [type, version])).toEqual([
      ['Opened', 1],
      ['Paid', 2],
    ])
  })

  test('only tells what would go when it is asked to', async () => {
    const report = await jsonOf('retention', 'run', '--dry-run', '--archive', archive)
    expect(report).toMatchObject({ dryRun: true, skipped: [], tables: {} })
    expect(report.rules).toMatchObject([
      { removed: 3, archived: 0, streams: 2, held: [] },
      { removed: 1, archived: 0, held: [{ reason: 'reader', by: 'till', position: 6 }] },
    ])
    expect(await logOf()).toHaveLength(6)
    expect(() => archived()).toThrow(/ENOENT/)
    // Without a file the rule that the app archives is left to the app, as it would be.
    const bare = await jsonOf('retention', 'run', '--dry-run')
    expect(bare.skipped).toEqual(['stream cash: messages'])
    expect(bare.rules).toMatchObject([{ rule: 'category clicks: messages', removed: 3 }])
    expect((await jsonOf('retention', 'show')).last).toBeNull()
  })

  test('removes what is named instead of the policy', async () => {
    const words = ['--category', 'clicks', '--older-than', '90d', '--tombstone']
    const unsure = await cli('retention', 'run', ...words)
    expect([unsure.code, unsure.stderr]).toEqual([2, expect.stringContaining('--yes')])
    expect(await logOf()).toHaveLength(6)
    const why = ['--yes', '--reason', 'the law says so']
    const report = await jsonOf('retention', 'run', ...words, ...why)
    const [act] = (await jsonOf('audit', 'list')).entries
    expect(act).toMatchObject({ action: 'retention.run', reason: 'the law says so' })
    expect(report.rules).toMatchObject([{ removed: 3, tombstones: 2, streams: 2 }])
    const { streams } = await jsonOf('streams', 'list', 'clicks')
    expect(streams).toMatchObject([{ tombstone: true }, { tombstone: true }])
    const young = await jsonOf('retention', 'run', '--stream', 'cash', '--older-than', '101d')
    expect(young.rules).toMatchObject([{ removed: 0, held: [] }])
  })

  test('removes what is needed only by force, or if its reader is ignored', async () => {
    const cash = ['--stream', 'cash', '--older-than', '1d']
    expect((await jsonOf('retention', 'run', ...cash)).rules).toMatchObject([{ removed: 1 }])
    expect((await jsonOf('retention', 'run', ...cash, '--ignore', 'till')).rules).toMatchObject([
      { removed: 1, held: [] },
    ])
    const accounts = ['--category', 'account', '--older-than', '1d']
    expect((await jsonOf('retention', 'run', ...accounts)).rules).toMatchObject([
      { removed: 0, held: [{ reason: 'snapshot', by: 'account' }] },
    ])
    expect((await jsonOf('retention', 'run', ...accounts, '--force')).rules).toMatchObject([
      { removed: 1, held: [] },
    ])
  })

  test('says what is missing', async () => {
    const wrong: readonly (readonly string[])[] = [
      ['--category', 'a', '--stream', 'b', '--older-than', '1d'],
      ['--category', 'a'],
      ['--older-than', '1d'],
      ['--category', 'a', '--older-than', 'soon'],
    ]
    for (const words of wrong) expect((await cli('retention', 'run', ...words)).code).toBe(2)
    const nowhere = await cli('retention', 'run', '--archive', join(folder, 'none', 'a.jsonl'))
    expect(nowhere).toMatchObject({ code: 2 })
    expect(nowhere.stderr).toContain('ENOENT')
    expect(await logOf()).toHaveLength(6)
  })
})

test('status tells how large the store is', patient, async () => {
  expect(
    plain((await cli('status')).stdout)
      .split('\n')
      .slice(-6)
      .join('\n'),
  ).toMatchInlineSnapshot(`
    "rows  inbox 0, documents 7, snapshots 0, dead letters 0, retries 0, timers 0, jobs 0, audit 0

    CATEGORY  MESSAGES  SIZE  STREAMS  REMOVED  UP TO
    clicks  3  SIZE  2  -  -
    cash  2  SIZE  1  -  -
    account  1  SIZE  1  -  -"
  `)
  const { sizes } = await jsonOf('status')
  expect(sizes.categories.map(({ category }: { category: string }) => category)).toEqual([
    'account',
    'cash',
    'clicks',
  ])
  expect(sizes.bytes).toBeGreaterThan(1000)
})
