// What waits for its time, on the command line: looked at, cancelled, fired, resumed; and what of it is stuck.
import { cpSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import type { ScheduleOptions } from 'thence'
import { app } from 'thence'
import { sqlite } from 'thence/sqlite'
import { testApp } from 'thence/testing'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { plain, watching } from '../kit/command.ts'
import { desk, patient } from '../kit/desk.ts'
import { Make, maker, nightly } from '../kit/night.ts'

const hour = 3_600_000
const day = 24 * hour
const { folder, file, cli, jsonOf, remove } = desk()
const written = join(folder, 'written.db')
const open = () => sqlite({ database: new DatabaseSync(written), synchronous: 'off' })

const now = Date.now()
/** Half a day away from now, so that no slot comes in between. */
const cron = `30 ${new Date(now + 12 * hour).getUTCHours()} * * *`
const masked = (text: string): string =>
  plain(
    text.replaceAll(cron, 'CRON').replace(/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[+-]\d\d:\d\d/g, 'LOCAL'),
  )

const state = { broken: false }
const send: ScheduleOptions['send'] = ({ local, manual }) => {
  if (state.broken) throw new Error('no paper')
  return Make({ of: local, manual })
}

/** Three days of a shop up to now: a schedule that goes on, one that is stuck, one that was cancelled, and commands. */
const writeStore = async (): Promise<void> => {
  const shop = await testApp(
    (one) =>
      one.use(
        maker,
        nightly({ cron, zone: 'Etc/GMT-1' }),
        nightly({ cron, send, catchUp: 'all' }, 'stuck'),
        nightly({ cron: '@hourly' }, 'quiet'),
      ),
    { database: open(), start: now - 3 * day },
  )
  await shop.app.schedules.cancel('quiet', { actor: 'ann', reason: 'too loud' })
  const later = { at: now + hour }
  await shop.app.send(Make({ of: 'soon', manual: true }, { id: 'soon' }), { in: '1m' })
  await shop.app.send(Make({ of: 'later', manual: true }, { id: 'later' }), later)
  await shop.app.send(Make({ of: 'never', manual: true }, { id: 'never' }), later)
  await shop.app.schedules.cancel('send:never', { actor: 'ann' })
  await shop.runtime.jump('1d')
  await shop.settle()
  state.broken = true
  await shop.runtime.jump('1d')
  await shop.spy.signal('timer-parked')
  state.broken = false
  await shop.runtime.jump(`${now - shop.runtime.now()}ms`)
  await shop.advance('1m')
  await shop.stop()
}

beforeAll(writeStore, 60_000)
beforeEach(() => cpSync(written, file))
afterAll(remove)

describe('looking', patient, () => {
  test('list has schedules on both clocks, how late the last slot was, and what is stuck and why', async () => {
    const { code, stdout } = await cli('schedules', 'list')
    expect(code).toBe(0)
    expect(masked(stdout)).toMatchInlineSnapshot(`
      "SCHEDULE  STATE  CRON  ZONE  NEXT SLOT  IN UTC  WHEN  LAST  LATE  ERROR
      nightly  waiting  CRON  Etc/GMT-1  LOCAL  TIME  WHEN  WHEN  SPAN
      quiet  cancelled  @hourly  UTC  -  -  -  -  -
      stuck  parked  CRON  UTC  LOCAL  TIME  WHEN  WHEN  SPAN, due  Error: no paper

      ID  KIND  NAME  STATE  DUE  WHEN  LATE  ERROR
      send:later  send  Make  waiting  TIME  WHEN  -"
    `)
  })

  test('list is one document for programs', async () => {
    const { timers, next } = await jsonOf('schedules', 'list')
    expect(next).toBeNull()
    expect(timers).toMatchObject([
      {
        id: 'schedule:nightly',
        kind: 'schedule',
        state: 'waiting',
        late: 0,
        error: null,
        schedule: { cron, zone: 'Etc/GMT-1', catchUp: 'latest', cancelled: null },
      },
      { id: 'schedule:quiet', state: 'cancelled', due: null, next: null },
      { id: 'schedule:stuck', state: 'parked', next: null, attempts: 10, error: 'Error: no paper' },
      { id: 'send:later', kind: 'send', name: 'Make', due: now + hour, schedule: null },
    ])
    const [nightly_, , stuck] = timers
    const { slot, sent } = nightly_.schedule.last
    expect(nightly_.due).toBe(slot + day)
    expect(sent - slot).toBeGreaterThanOrEqual(0)
    expect(stuck.late).toBeGreaterThan(day)
    expect((await jsonOf('schedules', 'list', '--all')).timers[0].id).toBe('schedule:stuck')
  })

  test('show has the slots that come; a command for later is shown with its data', async () => {
    const { stdout } = await cli('schedules', 'show', 'nightly')
    expect(masked(stdout)).toMatchInlineSnapshot(`
      "schedule:nightly  waiting
      kind  schedule
      name  nightly
      due  TIME (WHEN)
      cron  CRON
      zone  Etc/GMT-1
      catch-up  latest
      last slot  LOCAL (WHEN)
      sent  SPAN late

      SLOT  IN UTC  WHEN
      LOCAL  TIME  WHEN
      LOCAL  TIME  WHEN
      LOCAL  TIME  WHEN
      LOCAL  TIME  WHEN
      LOCAL  TIME  WHEN"
    `)
    const { due, upcoming } = await jsonOf('schedules', 'show', 'schedule:nightly')
    expect(upcoming.map(({ time }: { time: number }) => time)).toEqual(
      [0, 1, 2, 3, 4].map((n) => due + n * day),
    )
    expect(new Date(upcoming[0].local).getTime()).toBe(due)
    const [overdue, next] = (await jsonOf('schedules', 'show', 'stuck')).upcoming
    expect(overdue.time).toBeLessThan(now)
    // The other one is an hour ahead of UTC.
    expect(next.time).toBe(due + hour)
    expect(masked((await cli('schedules', 'show', 'send:later')).stdout)).toMatchInlineSnapshot(`
      "send:later  waiting
      kind  send
      name  Make
      due  TIME (WHEN)
      message  later
      data  {"of":"later","manual":true}"
    `)
    expect(masked((await cli('schedules', 'show', 'quiet')).stdout)).toMatchInlineSnapshot(`
      "schedule:quiet  cancelled
      kind  schedule
      name  quiet
      cron  @hourly
      zone  UTC
      catch-up  latest
      last slot  -
      cancelled  TIME (WHEN)"
    `)
  })

  test('what does not wait any more says why', async () => {
    const of = async (id: string) => {
      const { code, stdout, stderr } = await cli('schedules', 'show', id)
      expect(stdout).toBe('')
      return `${code} ${plain(stderr)}`
    }
    expect(await of('send:soon')).toMatchInlineSnapshot(
      `"1 STATE_INVALID  send:soon was fired at TIME: it is position 1."`,
    )
    expect(await of('send:never')).toMatchInlineSnapshot(
      `"1 STATE_INVALID  send:never was cancelled by ann at TIME."`,
    )
    expect(await of('nihgtly')).toMatchInlineSnapshot(
      `"3 NOT_FOUND  There is no schedule "nihgtly" in this store. Did you mean nightly? See: thence schedules list."`,
    )
  })

  test('status says what is stuck, with the command that mends it', async () => {
    const { attention } = await jsonOf('status')
    const what = 'a slot was given up after 10 attempts: Error: no paper'
    expect(attention).toMatchObject([
      { name: 'app', what: 'No process runs; there wait: timers' },
      { name: 'schedule:stuck', what, advice: 'thence schedules fire stuck' },
    ])
    await cli('schedules', 'fire', 'stuck', '--yes')
    expect((await jsonOf('status')).attention).toMatchObject([
      { name: 'app', what: 'No process runs; there wait: timers' },
      {
        name: 'schedule:stuck',
        what: 'a slot is overdue',
        advice: expect.stringContaining('start'),
      },
    ])
  })
})

describe('acting', patient, () => {
  test.each(['cancel', 'fire'])(
    '%s asks, and needs --yes where nobody can be asked',
    async (verb) => {
      const before = await jsonOf('schedules', 'list')
      const { code, stderr } = await cli('schedules', verb, 'nightly')
      expect(code).toBe(2)
      expect(stderr).toContain('the schedule nightly')
      expect(stderr).toContain('Say so with --yes.')
      expect(
        (await jsonOf('schedules', 'list')).timers.map(({ id }: { id: string }) => id),
      ).toEqual(before.timers.map(({ id }: { id: string }) => id))
    },
  )

  test('cancel and resume leave entries in the audit log', async () => {
    const words = ['--as', 'ann', '--reason', 'stocktaking']
    expect(await cli('schedules', 'cancel', 'nightly', '--yes', ...words)).toMatchObject({
      code: 0,
      stdout: 'Cancelled: the schedule nightly.\n',
    })
    const again = await cli('schedules', 'cancel', 'nightly', '--yes')
    expect(`${again.code} ${plain(again.stderr)}`).toMatchInlineSnapshot(
      `"1 STATE_INVALID  nightly was cancelled by ann at TIME. Let it go on: thence schedules resume nightly"`,
    )
    const { stdout } = await cli('schedules', 'resume', 'nightly', '--as', 'bob')
    expect(plain(stdout)).toBe('the schedule nightly goes on; its next slot is TIME.')
    const runs = await cli('schedules', 'resume', 'nightly', '--as', 'eve')
    expect(runs).toMatchObject({ code: 0, stderr: '' })
    expect(plain(runs.stdout)).toBe('the schedule nightly runs already; its next slot is TIME.')
    const never = await cli('schedules', 'resume', 'send:later')
    expect([never.code, never.stderr]).toEqual([
      1,
      'STATE_INVALID  send:later is not a schedule that was cancelled, so there is nothing to resume.\n',
    ])
    const { entries } = await jsonOf('audit', 'list', '--target', 'schedule:nightly')
    expect(entries).toMatchObject([
      { action: 'schedule.resume', actor: 'bob' },
      { action: 'schedule.cancel', actor: 'ann', reason: 'stocktaking' },
    ])
    const gone = await jsonOf('schedules', 'cancel', 'send:later', '--yes')
    expect(gone).toEqual({ id: 'send:later', kind: 'send', name: 'Make', due: now + hour })
    expect((await cli('schedules', 'fire', 'send:later', '--yes')).code).toBe(1)
  })

  test('a running app sends what is fired within a second', async () => {
    const database = sqlite({ database: new DatabaseSync(file) })
    await using _shop = await app({ database, logger: false })
      .use(maker, nightly({ cron, zone: 'Etc/GMT-1' }))
      .start()
    const words = ['events', 'tail', '--type', 'Make', '--follow', '--json', '--after']
    const { head } = await jsonOf('status')
    const tail = watching([...words, String(head), '--db', file])
    await cli('schedules', 'fire', 'nightly', '--yes')
    await cli('schedules', 'fire', 'send:later', '--yes')
    const first = JSON.parse(await tail.line())
    expect(first).toMatchObject({ type: 'Make', data: { manual: true } })
    expect(first.id).toMatch(/^nightly@/)
    expect(JSON.parse(await tail.line())).toMatchObject({ id: 'later' })
    await tail.interrupt()
  })
})
