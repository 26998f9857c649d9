// What the command shows of processes that run, beside them.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { command, event, handler, plain as shape, systemRuntime } from 'thence'
import { sqlite } from 'thence/sqlite'
import { testApp } from 'thence/testing'
import { afterAll, expect, test } from 'vitest'
import { plain, thence } from '../kit/command.ts'

const folder = mkdtempSync(join(tmpdir(), 'thence-metrics-'))
afterAll(() => rmSync(folder, { recursive: true }))

const Rung = event('Rung', shape<{ n: number }>())
const Ring = command('Ring', shape<{ n: number }>())

const patient = { timeout: 60_000 }

test(
  'what processes measured is shown while they run, and that none does when they ended',
  patient,
  async () => {
    const file = join(folder, 'bells.db')
    const cli = (...args: readonly string[]) => thence([...args, '--db', file], { cwd: folder })
    const ear = handler('ear', Rung, {
      key: ({ data }) => String(data.n),
      retry: { attempts: 1 },
      run: ({ data }) => {
        if (data.n === 7) throw new Error('deaf')
      },
    })
    const shop = await testApp((app) => app.use(ear).handle('hand', Ring, () => undefined), {
      database: sqlite({ database: new DatabaseSync(file) }),
      // The command counts by the real clock who is alive.
      start: systemRuntime().now(),
      leaseTime: '1h',
    })
    for (let n = 0; n < 20; n += 1) await shop.app.append({ events: Rung({ n }) })
    await shop.app.send(Ring({ n: 1 }))
    await shop.advance('6s')
    const { code, stdout, stderr } = await cli('metrics')
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    expect(plain(stdout)).toMatchInlineSnapshot(`
      "PROCESS  STATE  STARTED  PARTITIONS  APPENDED/S  HANDLED/S  FAILED  PARKED  LATENCY P50  P99  DELAY P99
      UUID  running  WHEN  2  3.5  3.3  1  1  SPAN  SPAN  SPAN

      SUBSCRIPTION  MESSAGE  HANDLED/S  FAILED  PARKED  QUEUED  LATENCY P50  P99  TOOK P50  P99
      ear  Rung  3.2  1  1  -  SPAN  SPAN  SPAN  SPAN
      hand  Ring  0.2  -  -  -  SPAN  SPAN  SPAN  SPAN

      appends  3.5 messages/s in 3.5 commits/s, each SPAN (p50), SPAN (p99), after waiting SPAN (p50), SPAN (p99)

      Of the last SPAN.

      SIZE in the database, the log by category:

      CATEGORY  MESSAGES  SIZE  STREAMS  REMOVED  UP TO
      log  20  SIZE  1  -  -
      commands  1  SIZE  1  -  -"
    `)
    const { processes, recent, sizes } = JSON.parse((await cli('metrics', '--json')).stdout)
    expect(processes).toMatchObject([{ alive: true, appended: 21, handled: 20, parked: 1 }])
    expect(recent.messages).toMatchObject([
      { subscription: 'ear', type: 'Rung', handled: 19, failed: 1, parked: 1 },
      { subscription: 'hand', type: 'Ring', handled: 1 },
    ])
    expect(sizes.categories).toMatchObject([
      { category: 'commands', messages: 1 },
      { category: 'log', messages: 20 },
    ])
    expect(plain((await cli('status')).stdout)).toContain('PROCESS  STATE  STARTED  PARTITIONS')
    await shop.stop()
    expect(
      plain((await cli('metrics')).stdout)
        .split('\n')
        .slice(0, 3),
    ).toEqual(['No process runs.', '', 'SIZE in the database, the log by category:'])
  },
)

test('a process that stops shows as that, with how much it has in hand', patient, async () => {
  const file = join(folder, 'slow.db')
  const slow = Promise.withResolvers<void>()
  const ear = handler('ear', Rung, { timeout: '10m', run: () => slow.promise })
  const shop = await testApp((app) => app.use(ear), {
    database: sqlite({ database: new DatabaseSync(file) }),
    start: systemRuntime().now(),
    leaseTime: '1h',
  })
  await shop.app.append({ events: Rung({ n: 1 }) })
  await shop.runtime.advance('2s')
  const row = async () => plain((await thence(['status', '--db', file])).stdout)
  expect(await row()).toContain('UUID  running  WHEN  1')
  const stopped = shop.app.stop({ deadline: '1m' })
  await shop.runtime.advance('1s')
  expect(await row()).toContain('UUID  stopping, 1 in hand  WHEN  1')
  slow.resolve()
  await shop.runtime.until(stopped)
  expect(await row()).toContain('No process runs.')
})
