// How a replay ends: killed and gone on with, given up by who waits for it, cancelled, or refused from the beginning.
import type { Replayed } from 'thence'
import { aggregate, documents, handler, projection, saga, step } from 'thence'
import * as admin from 'thence/admin'
import { describe, expect, it } from 'vitest'
import { losable } from '../kit/faults.ts'
import { file, look, run } from '../kit/places.ts'
import type { Options } from '../kit/tower.ts'
import { Answer, ear, empty, Rung, rung, startEar, Tolled } from '../kit/tower.ts'

describe('a replay that is cut short', () => {
  it('goes on where it was when the process is killed, and gives each message again once or, at most, once more', async () => {
    const place = file.make()
    const did = empty()
    const slow: Options = {
      concurrency: 4,
      run: async ({ data: { bell, n } }, { within, replaying }) => {
        did.calls.push(`${bell}${n}`)
        await new Promise<void>((resolve) => void place.runtime.after(20, resolve))
        if (replaying)
          within(async ({ documents: rows }) => {
            const times = Number((await rows.get('again', `${bell}${n}`)) ?? '0')
            await rows.put('again', `${bell}${n}`, String(times + 1))
          })
      },
    }
    let [kills, count] = [0, 0]
    const first = await startEar(place, did, slow)
    await first.app.append({ events: rung(80) })
    await first.settle()
    did.calls.length = 0
    const on = { database: first.app.database, runtime: place.runtime }
    const { id } = await admin.startReplay(on, 'ear', { inFlight: 10 })
    await first.stop()
    for (; kills < 8; kills += 1) {
      const lost: { lose(): void }[] = []
      const around = (inner: Parameters<typeof losable>[0]) => {
        const one = losable(inner)
        lost.push(one)
        return one.database
      }
      const test = await startEar(place, did, { ...slow, around })
      const before = did.calls.length
      count += 5
      await test.spy.until('some more', () => did.calls.length >= before + 5)
      lost[0]?.lose()
      await place.runtime.advance('6s')
      await test.stop()
    }
    const last = await startEar(place, did, slow)
    const job = () => admin.job({ database: last.app.database, runtime: place.runtime }, id)
    await last.spy.until('the end', async () => (await job()).state === 'done')
    await last.settle()
    const rows = await look(last)(({ documents: rows }) => rows.list('again', { limit: 100 }))
    // Its effects in the store are there once.
    expect(rows.map(({ value }) => value)).toEqual(Array(80).fill('1'))
    expect(await job()).toMatchObject({ state: 'done', total: 80, progress: { resolved: 80 } })
    // Each kill may cost what was in hand.
    expect(did.calls.length).toBeGreaterThanOrEqual(80)
    expect(did.calls.length).toBeLessThanOrEqual(80 + kills * 2 * 4)
    expect(count).toBe(40)
  }, 60_000)

  it('is waited for by nobody who gives up, can be cancelled, and ends with the app', async () => {
    const did = empty()
    const test = await startEar(file.make(), did)
    await test.app.append({ events: rung(20) })
    await test.settle()
    const giveUp = new AbortController()
    const seen: Replayed[] = []
    const options = {
      rate: 1,
      signal: giveUp.signal,
      onProgress: (now: Replayed) => seen.push(now),
    }
    const replay = test.app.replay('ear', options)
    await test.runtime.advance('3s')
    giveUp.abort()
    await expect(replay).rejects.toMatchObject({ code: 'ABORTED' })
    expect(seen.at(-1)).toMatchObject({ state: 'running', total: 20 })
    expect(seen.at(-1)?.resolved).toBeGreaterThan(0)
    const on = { database: test.app.database, runtime: test.runtime, actor: 'ann' }
    await admin.cancelJob(on, String(seen.at(-1)?.job))
    did.calls.length = 0
    await test.advance('1m')
    expect(did.calls).toEqual([])
    const acts = (await admin.audit(on)).map(({ actor, action }) => `${actor} ${action}`)
    expect(acts).toEqual(['ann job.cancel', 'api job.start'])
  })
})

const order = aggregate('order', {
  initial: () => ({}),
  evolve: (on) => on(Rung, () => ({})),
  decide: (on) => on(Answer, () => []),
  stream: () => 'x',
})
const view = projection('view', {
  view: documents<object>(),
  on: (on) => on(Rung, () => undefined),
})
const round = saga('round', {
  startedBy: Rung,
  key: ({ data }) => data.bell,
  steps: [step('one', { do: () => Answer({ n: 1 }), done: Tolled })],
})

describe('a replay is refused', () => {
  it('to a handler that says nothing of it, to a view, a saga and an aggregate, each with what to do', async () => {
    const silent = handler('silent', Rung, () => undefined)
    const test = await run(file.make(), (app) => app.use(silent, order, view, round))
    const refused = (name: string) => test.app.replay(name).catch((error: unknown) => error)
    for (const [name, advice] of [
      ['silent', /idempotent.*skipOnReplay.*marked/],
      ['view', /projection.*[Rr]ebuild/],
      ['round', /saga/],
      ['order', /aggregate/],
    ] as const) {
      const error = (await refused(name)) as Error
      expect(error).toMatchObject({ code: 'REPLAY_REFUSED', details: { name } })
      expect(error.message).toMatch(advice)
      const on = { database: test.app.database, runtime: test.runtime }
      await expect(admin.startReplay(on, name)).rejects.toMatchObject({ code: 'REPLAY_REFUSED' })
    }
    expect(await refused('nobody')).toMatchObject({ code: 'NOT_FOUND' })
  })

  it('with a part of history that makes no sense', async () => {
    const test = await startEar(file.make(), empty())
    const wrong = [
      { from: 0 },
      { to: 1.5 },
      { from: new Date(Number.NaN) },
      { types: ['Answer'] },
      { types: [] },
      { rate: 0 },
      { inFlight: 501 },
      { stopAfter: 0 },
    ]
    for (const which of wrong)
      await expect(test.app.replay('ear', which), JSON.stringify(which)).rejects.toMatchObject({
        code: 'CONFIG_INVALID',
      })
    expect(() => ear(empty(), { replay: 'always' as 'marked' })).toThrow(/always/)
  })
})
