// Which letters a redrive takes and in which order, what else may happen to a job, and what is written down about it.
import { documents, event, plain, projection } from 'thence'
import * as admin from 'thence/admin'
import { describe, expect, test } from 'vitest'
import type { Kind } from '../kit/places.ts'
import { kinds, run } from '../kit/places.ts'
import { letters, returned, startPost } from '../kit/post-office.ts'

const numbersOf = (found: readonly admin.DeadLetterSummary[]): string[] =>
  found.map(({ key }) => key).toSorted()

/** Sends those that match, and gives the keys of those that went through. */
const sent = async (
  kind: Kind,
  choose: (found: readonly admin.DeadLetterSummary[]) => admin.RedriveOptions,
) => {
  const office = await returned(kind, 6)
  const all = await office.letters()
  const { id } = await admin.startRedrive(office.on, choose(all))
  await office.test.advance('10s')
  const job = await admin.job(office.on, id)
  return { keys: numbersOf(await office.letters({ state: 'resolved' })), job }
}

describe.each(kinds)('on $name', (kind) => {
  test('a filter takes those that match and leaves the others', async () => {
    const byKey = await sent(kind, () => ({ key: 'house-3' }))
    expect(byKey).toMatchObject({ keys: ['house-3'], job: { total: 1, state: 'done' } })
    const byIds = await sent(kind, (all) => ({ ids: [all[4]!.id, all[1]!.id] }))
    expect(byIds.keys).toEqual(['house-2', 'house-5'])
    const byLimit = await sent(kind, () => ({ limit: 2 }))
    expect(byLimit).toMatchObject({
      keys: ['house-1', 'house-2'],
      job: { total: 2, state: 'done' },
    })
    const byGroup = await sent(kind, (all) => ({
      fingerprint: all[0]!.fingerprint,
      type: 'Posted',
    }))
    expect(byGroup.keys).toHaveLength(6)
  })

  test('letters that failed in the same way are one group', async () => {
    const { on, letters: find } = await returned(kind, 6)
    const groups = await admin.deadLetterGroups(on)
    expect(groups).toMatchObject([
      { subscription: 'carrier', count: 6, sample: { errorMessage: 'no such house: house-6' } },
    ])
    expect(await find({ fingerprint: groups[0]!.fingerprint })).toHaveLength(6)
    expect(await admin.deadLetterGroups(on, { state: 'resolved' })).toEqual([])
    await expect(admin.deadLetterGroups(on, { subscription: 'carier' })).rejects.toThrow('carrier')
  })

  test('what is parked after its beginning is not its own', async () => {
    const { on, test: app, state, post, counts } = await returned(kind, 3)
    const { id } = await admin.startRedrive(on, { rate: 1, canary: false })
    await app.runtime.advance('100ms')
    state.broken.add(9)
    await post({ n: 9, to: 'house-9' })
    await app.advance('20s')
    expect(await admin.job(on, id)).toMatchObject({ state: 'done', ended: 3 })
    expect(await counts()).toMatchObject({ parked: 1, resolved: 3 })
    expect(state.tries.filter(({ n }) => n === 9)).toHaveLength(1)
  })

  test('a letter is its own though the clock that parked it was ahead of the one that begins', async () => {
    const { on, test: app, counts } = await returned(kind, 3)
    const late = { now: () => app.runtime.now() - 60_000 }
    const { id } = await admin.startRedrive({ ...on, runtime: late })
    await app.advance('10s')
    expect(await admin.job(on, id)).toMatchObject({ state: 'done', ended: 3 })
    expect(await counts()).toMatchObject({ parked: 0, resolved: 3 })
  })

  test('what was parked while its key went on is redriven in the order of its key', async () => {
    const place = kind.make()
    const state = {
      broken: new Set<number | 'all'>(['all']),
      tries: [] as { n: number; time: number; id: string }[],
    }
    const office = await startPost(place, state, { onFailure: 'park-message' })
    await office.post(...[1, 2, 3, 4].map((n) => ({ n, to: n === 3 ? 'other' : 'same' })))
    expect(await office.counts()).toMatchObject({ parked: 4 })
    expect((await admin.status(office.on)).retries).toEqual({ due: 0, parked: 4, queued: 0 })
    state.broken.clear()
    state.tries.length = 0
    await admin.startRedrive(office.on, { canary: false })
    await office.test.advance('10s')
    expect(await office.counts()).toMatchObject({ parked: 0, resolved: 4 })
    expect(state.tries.map(({ n }) => n).filter((n) => n !== 3)).toEqual([1, 2, 4])
  })

  test('a message that is redriven after its key went on holds up what comes behind it', async () => {
    const place = kind.make()
    const state = {
      broken: new Set<number | 'all'>([1]),
      tries: [] as { n: number; time: number; id: string }[],
    }
    const office = await startPost(place, state, { onFailure: 'park-message', attempts: 3 })
    await office.post({ n: 1, to: 'same' }, { n: 2, to: 'same' })
    expect(await office.delivered()).toEqual([2])
    await office.test.app.pause('carrier')
    const [letter] = await office.letters()
    await admin.redrive(office.on, letter!.id)
    state.broken.clear()
    await office.test.app.resume('carrier')
    await office.test.advance('5s')
    expect(await office.delivered()).toEqual([2, 1])
    expect(await office.counts()).toMatchObject({ parked: 0, resolved: 1 })
  })

  test('letters behind one that nobody redrives do not keep the others waiting', async () => {
    const place = kind.make()
    const state = {
      broken: new Set<number | 'all'>(['all']),
      tries: [] as { n: number; time: number; id: string }[],
    }
    const office = await startPost(place, state, { onFailure: 'park-message' })
    const same = letters(20, 2).map(({ n }) => ({ n, to: 'same' }))
    await office.post({ n: 1, to: 'same' }, ...same, { n: 99, to: 'other' })
    const [first] = await office.letters()
    await office.test.app.setPolicy('carrier', 'park-key')
    await office.test.advance('2s')
    // It waits again, and this time its key waits with it.
    await admin.redrive(office.on, first!.id)
    await office.test.advance('2s')
    state.broken.clear()
    const rest = (await office.letters()).filter(({ id }) => id !== first!.id)
    const options = { ids: rest.map(({ id }) => id), canary: false, inFlight: 5 }
    const { id } = await admin.startRedrive(office.on, options)
    await office.test.advance('20s')
    expect(await office.delivered()).toEqual([99])
    expect(await admin.job(office.on, id)).toMatchObject({
      state: 'done',
      progress: { redriven: 21, resolved: 1, inFlight: 20 },
    })
    await admin.redrive(office.on, first!.id)
    await office.test.advance('5s')
    expect(await office.delivered()).toEqual([99, 1, ...same.map(({ n }) => n)])
  })

  test('a projection is given nothing out of order: what it has passed over stays where it is', async () => {
    const Counted = event('Counted', plain<{ n: number }>())
    let broken = true
    const totals = projection('totals', {
      view: documents<{ n: number }>(),
      retry: { attempts: 1 },
      onFailure: 'park-message',
      on: (on) =>
        on(Counted, ({ data }, view) => {
          if (broken) throw new Error('cannot count')
          return view.put('last', data)
        }),
    })
    const app = await run(kind.make(), (builder) => builder.use(totals))
    const on = { database: app.app.database, runtime: app.runtime }
    await app.app.append({ events: Counted({ n: 1 }) })
    await app.settle()
    broken = false
    const [letter] = await admin.deadLetters(on)
    await expect(admin.redrive(on, letter!.id)).rejects.toThrow('rebuild it')
    const { id } = await admin.startRedrive(on, {})
    await app.advance('5s')
    expect(await admin.job(on, id)).toMatchObject({
      state: 'done',
      progress: { skipped: 1, redriven: 0 },
    })
    expect(await admin.deadLetters(on, { state: 'parked' })).toHaveLength(1)
  })

  test('a job can be paused, go on, and be cancelled; each act is written down', async () => {
    const { on, test: app, counts } = await returned(kind, 10)
    const ann = { ...on, actor: 'ann' }
    const { id } = await admin.startRedrive(ann, { rate: 1, canary: false, reason: 'mended' })
    await app.runtime.advance('1500ms')
    expect(await admin.pauseJob(ann, id)).toMatchObject({ state: 'paused' })
    await app.advance('30s')
    const { resolved } = await counts()
    expect(resolved).toBeGreaterThan(0)
    expect(resolved).toBeLessThan(5)
    await admin.resumeJob(ann, id, { reason: 'go' })
    await app.runtime.advance('1500ms')
    expect(await admin.cancelJob(ann, id)).toMatchObject({ state: 'cancelled' })
    await app.advance('30s')
    expect((await counts()).parked).toBeGreaterThan(3)
    for (const act of [admin.pauseJob, admin.resumeJob, admin.cancelJob])
      await expect(act(on, id)).rejects.toMatchObject({ code: 'STATE_INVALID' })
    await expect(admin.pauseJob(on, 'nope')).rejects.toMatchObject({ code: 'NOT_FOUND' })
    const told = await admin.audit(on, { target: id })
    expect(told.map(({ actor, action, reason }) => `${actor} ${action} ${reason ?? '-'}`)).toEqual([
      'ann job.cancel -',
      'ann job.resume go',
      'ann job.pause -',
      'ann job.start mended',
    ])
    expect(told.at(-1)?.details).toMatchObject({ kind: 'redrive', total: 10, rate: 1, filter: {} })
  })

  test('a job is only begun for what is there, with numbers that can be kept', async () => {
    const { on } = await returned(kind, 1)
    const refused = (options: admin.RedriveOptions, code: string) =>
      expect(admin.startRedrive(on, options)).rejects.toMatchObject({ code })
    await refused({ subscription: 'carier' }, 'NOT_FOUND')
    await refused({ type: 'Other' }, 'NOT_FOUND')
    for (const options of [
      { rate: 0 },
      { rate: 1.5 },
      { limit: 0 },
      { stopShare: 2 },
      { inFlight: -1 },
    ])
      await refused(options, 'CONFIG_INVALID')
    await refused({ ids: Array.from({ length: 1001 }, String) }, 'CONFIG_INVALID')
    expect(await admin.jobs(on)).toEqual([])
    expect(await admin.audit(on)).toEqual([])
  })

  test('a discard moves no checkpoint of a subscription with keys: others may stand before it', async () => {
    const { test: app, place, on, letters: find } = await returned(kind, 2)
    const [letter] = await find()
    await app.stop()
    const database = place.open()
    await database.open(place.runtime)
    await database.transact(({ checkpoints }) => checkpoints.divide('carrier', [0, 50, 50, 50]))
    await admin.discard({ ...on, database }, letter!.id, 'no such house')
    const rows = await database.read(({ checkpoints }) => checkpoints.list('carrier'))
    expect(rows.map(({ position }) => position)).toEqual([0, 50, 50, 50])
    await database.close()
  })
})
