// Jobs that have not come to their end, where one looks first: what runs and how long it will, what waits for a person.
import { rmSync, mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import * as admin from 'thence/admin'
import { sqlite } from 'thence/sqlite'
import { virtualRuntime } from 'thence/testing'
import { describe, expect, onTestFinished, test } from 'vitest'
import { plain, thence } from '../kit/command.ts'
import type { Kind } from '../kit/places.ts'
import { kinds } from '../kit/places.ts'
import { returned } from '../kit/post-office.ts'

/** A redrive that runs, one that is paused, one that has stopped, and two that have ended. */
const office = async (kind: Kind) => {
  const { on, test: app, state } = await returned(kind, 100, { stillBroken: [1] })
  const start = (options: admin.RedriveOptions) => admin.startRedrive(on, options)
  const [first] = await admin.deadLetters(on, { state: 'parked', limit: 1 })
  const ended = await start({ canary: false, limit: 1, stopAfter: 10, stopShare: 1 })
  await app.advance('2s')
  const stopped = await start({ ids: [first!.id] })
  await app.advance('2s')
  const paused = await start({ limit: 1, canary: false })
  await admin.pauseJob(on, paused.id, { reason: 'lunch' })
  const cancelled = await start({ limit: 1 })
  await admin.cancelJob(on, cancelled.id)
  state.broken.clear()
  const running = await start({ limit: 60, rate: 5, canary: false })
  await app.runtime.advance('5s')
  return { on, app, ids: { running, paused, stopped, ended } }
}

describe.each(kinds)('on $name', (kind) => {
  test('status has what runs, waits and has stopped, with how far it is and how long it will take', async () => {
    const { on, ids, app } = await office(kind)
    const { jobs } = await admin.status(on)
    expect(jobs.map(({ id, state }) => [id, state])).toEqual([
      [ids.running.id, 'running'],
      [ids.paused.id, 'paused'],
      [ids.stopped.id, 'stopped'],
    ])
    const [running] = jobs
    expect(running).toMatchObject({ total: 60, kind: 'redrive' })
    expect(running!.ended).toBeGreaterThanOrEqual(20)
    expect(running!.ended).toBeLessThanOrEqual(26)
    // It does five a second.
    expect(running!.left).toBeGreaterThan(((60 - running!.ended) / 5) * 900)
    expect(running!.left).toBeLessThan(((60 - running!.ended) / 5) * 1100)
    await app.advance('1m')
    expect((await admin.status(on)).jobs.map(({ state }) => state)).toEqual(['paused', 'stopped'])
    const refusal = (act: typeof admin.pauseJob) => act(on, ids.ended.id).catch(String)
    expect(await refusal(admin.pauseJob)).toContain('Only a job that is running can be paused.')
    expect(await refusal(admin.resumeJob)).toContain(
      'Only a job that is paused or stopped can be resumed.',
    )
    expect(await refusal(admin.cancelJob)).toContain(
      'Only a job that is running, paused or stopped can be cancelled.',
    )
  })

  test('what waits for a person wants attention, with what to look at next', async () => {
    const { on, ids } = await office(kind)
    const { attention } = await admin.status(on)
    expect(attention.filter(({ name }) => name === 'redrive')).toMatchObject([
      {
        what: 'a job has stopped: The one that went first failed again: Error: no such house: house-1',
        advice: `thence jobs show ${ids.stopped.id}`,
      },
      { what: 'a job is paused', advice: `thence jobs show ${ids.paused.id}` },
    ])
  })

  test('a job that nobody takes up wants attention after a minute, and not before', async () => {
    const { on, test: app } = await returned(kind, 3)
    await app.app.pause('carrier')
    await admin.startRedrive(on, {})
    const about = async () =>
      (await admin.status(on)).attention.find(({ name }) => name === 'redrive')
    await app.runtime.advance('50s')
    expect(await about()).toBeUndefined()
    await app.runtime.advance('15s')
    expect(await about()).toMatchObject({ what: 'a job does not move' })
    await app.app.resume('carrier')
    await app.advance('5s')
    expect(await about()).toBeUndefined()
  })
})

test('the command shows them between the processes and the rest', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'thence-jobs-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  const path = join(folder, 'shop.db')
  const open = () => sqlite({ database: new DatabaseSync(path), synchronous: 'off' })
  const runtime = virtualRuntime()
  const { ids, app } = await office({ name: 'a file', sql: true, make: () => ({ runtime, open }) })
  await app.stop()
  const { stdout } = await thence(['status', '--db', path])
  const from = stdout.indexOf('JOB ')
  expect(plain(stdout.slice(from, stdout.indexOf('\n\n', from)))).toMatchInlineSnapshot(`
    "JOB  STATE  DONE  LEFT  MOVED  NEXT
    redrive  waiting  24 of 60  -  WHEN  thence jobs show UUID
    redrive  paused  0 of 1  -  WHEN  thence jobs show UUID
    redrive  stopped  0 of 1, 1 failed again  -  WHEN  thence jobs show UUID"
  `)
  expect(stdout).toContain(`thence jobs show ${ids.running.id}`)
  const { jobs } = JSON.parse((await thence(['status', '--json', '--db', path])).stdout)
  expect(jobs).toMatchObject([
    { id: ids.running.id, state: 'waiting', waits: 'no app runs', total: 60, ended: 24 },
    { id: ids.paused.id, left: null },
    { id: ids.stopped.id, error: expect.stringContaining('no such house') },
  ])
})
