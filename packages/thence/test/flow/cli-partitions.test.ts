// What the command shows of partitions: how many a subscription has, which process runs them, and each by itself.
import { DatabaseSync } from 'node:sqlite'
import { documents, event, handler, plain as shape, projection, systemRuntime } from 'thence'
import { sqlite } from 'thence/sqlite'
import { testApp } from 'thence/testing'
import { expect, onTestFinished, test } from 'vitest'
import { plain } from '../kit/command.ts'
import { desk, patient } from '../kit/desk.ts'

const Rung = event('Rung', shape<{ n: number }>())
const key = ({ data }: { readonly data: { readonly n: number } }): string => String(data.n)

const ear = handler('ear', Rung, { key, partitions: 16, run: () => undefined })
const hand = handler('hand', Rung, { key, keyVersion: 2, run: () => undefined })
const inline = projection('last', {
  view: documents<number>(),
  inline: true,
  on: (on) => on(Rung, ({ data }, view) => view.put('last', data.n)),
})

test('partitions are counted with who runs them, and shown one by one', patient, async () => {
  const { file, cli, remove } = desk()
  onTestFinished(remove)
  const start = (seed: number) =>
    testApp((app) => app.use(ear, hand, inline), {
      database: sqlite({ database: new DatabaseSync(file) }),
      // The command counts by the real clock who is alive.
      start: systemRuntime().now(),
      leaseTime: '1h',
      seed,
    })
  const column = async () =>
    plain((await cli('subscriptions', 'list')).stdout)
      .split('\n')
      .map((line) => [line.split('  ')[0], line.split('  ').at(-1)])
  const first = await start(1)
  for (let n = 0; n < 20; n += 1) await first.app.append({ events: Rung({ n }) })
  await first.advance('6s')
  expect(await column()).toEqual([
    ['SUBSCRIPTION', 'PARTITIONS'],
    ['ear', '16 · UUID'],
    ['hand', '1 · UUID'],
    ['last', '-'],
  ])
  const second = await start(2)
  // Each lets its own time pass, as two machines do.
  for (let rounds = 0; rounds < 20; rounds += 1) {
    await second.runtime.advance('1s')
    await first.runtime.advance('1s')
  }
  expect((await column())[1]).toEqual(['ear', '16 · 2 processes'])

  const { subscriptions } = JSON.parse((await cli('subscriptions', 'list', '--json')).stdout)
  const { partitions } = subscriptions[0]
  const shown = (await cli('subscriptions', 'show', 'ear')).stdout
  expect(plain(shown).split('\n').slice(0, 10)).toEqual([
    'subscription  ear',
    'kind  handler',
    'state  caught up',
    'types  Rung',
    'position  20, 0 behind it',
    'moved  WHEN',
    'retries  0 due, 0 parked, 0 queued',
    '',
    'PARTITION  POSITION  PROCESS',
    '0  20  UUID',
  ])
  const rows = shown.slice(shown.indexOf('PROCESS')).trim().split('\n').slice(1)
  expect(rows.map((row) => row.trim().split(/ +/))).toEqual(
    partitions.map((one: { partition: number; position: number; process: string }) => [
      String(one.partition),
      String(one.position),
      one.process,
    ]),
  )
  expect(new Set(partitions.map((one: { process: string }) => one.process)).size).toBe(2)
  expect(JSON.parse((await cli('subscriptions', 'show', 'ear', '--json')).stdout)).toMatchObject({
    name: 'ear',
    partitions,
  })

  await first.stop()
  await second.stop()
  expect((await column()).slice(1)).toEqual([
    ['ear', '16 · nobody'],
    ['hand', '1 · nobody'],
    ['last', '-'],
  ])
  expect(await cli('subscriptions', 'show', 'eer')).toMatchObject({
    code: 3,
    stderr: expect.stringContaining('ear'),
  })
})

test('what waits and what is paused is told of one', patient, async () => {
  const { file, cli, remove } = desk()
  onTestFinished(remove)
  const deaf = handler('deaf', Rung, {
    key: () => 'all',
    retry: { attempts: 1 },
    run: () => {
      throw new Error('deaf')
    },
  })
  await using bells = await testApp((app) => app.use(deaf), {
    database: sqlite({ database: new DatabaseSync(file) }),
  })
  for (let n = 0; n < 3; n += 1) await bells.app.append({ events: Rung({ n }) })
  await bells.advance('2s')
  await bells.app.pause('deaf', { reason: 'it is deaf', actor: 'ann' })
  await bells.app.setPolicy('deaf', 'skip')
  const { stdout } = await cli('subscriptions', 'show', 'deaf')
  expect(plain(stdout).split('\n').slice(2, 8)).toEqual([
    'state  paused',
    'paused  WHEN by ann: it is deaf',
    'policy  skip',
    'types  Rung',
    'position  3, 0 behind it',
    'moved  WHEN',
  ])
  expect(stdout).toContain('0 due, 1 parked, 2 queued')
})

test('the version of a key, and what a view lacks, are shown', patient, async () => {
  const { file, cli, remove } = desk()
  onTestFinished(remove)
  const Tolled = event('Tolled', shape<{ n: number }>())
  const count = (age: 'old' | 'young') =>
    projection('count', {
      view: documents<number>(),
      on: (on) => {
        const old = on(Rung, ({ data }, view) => view.put('last', data.n))
        return age === 'old' ? old : old.on(Tolled, ({ data }, view) => view.put('last', data.n))
      },
    })
  for (const age of ['old', 'young'] as const) {
    const database = sqlite({ database: new DatabaseSync(file) })
    const start = systemRuntime().now()
    const app = await testApp((one) => one.use(hand, count(age)).messages(Tolled), {
      database,
      start,
    })
    await app.app.append({ events: Tolled({ n: 1 }) })
    await app.settle()
    await app.stop()
  }
  const shown = async (name: string) =>
    plain((await cli('subscriptions', 'show', name)).stdout).split('\n')
  expect(await shown('hand')).toContain('key version  2')
  expect(await shown('count')).toContain('lacks  Tolled up to position 1')
  const { stdout } = await cli('status')
  expect(plain(stdout)).toContain('its view lacks Tolled up to position 1')
  expect(plain(stdout)).toContain('thence rebuild count')
})
