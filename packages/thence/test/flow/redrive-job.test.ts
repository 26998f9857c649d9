// Many dead letters sent through again by a job: how many, one first, how fast, and when it stops by itself.
import * as admin from 'thence/admin'
import { describe, expect, test } from 'vitest'
import { kinds } from '../kit/places.ts'
import { letters, returned } from '../kit/post-office.ts'

const state = async (on: admin.On, id: string) => {
  const { state: now, progress, error, ended } = await admin.job(on, id)
  return { state: now, error, ended, ...progress }
}

describe.each(kinds)('on $name', (kind) => {
  test('a plan says how many and which, and changes nothing', async () => {
    const { on, counts } = await returned(kind, 7)
    const plan = await admin.planRedrive(on, { subscription: 'carrier' })
    expect(plan.total).toBe(7)
    expect(plan.sample.map(({ type, state: now }) => `${type} ${now}`)).toEqual(
      Array.from({ length: 5 }, () => 'Posted parked'),
    )
    expect((await admin.planRedrive(on, { type: 'Other' })).total).toBe(0)
    expect(await counts()).toMatchObject({ parked: 7, redriven: 0 })
    expect(await admin.jobs(on)).toEqual([])
  })

  test('all that are parked go through, each once, and the job tells how far it is', async () => {
    const { on, test: app, counts, delivered } = await returned(kind, 40)
    const job = await admin.startRedrive({ ...on, actor: 'ann' }, { subscription: 'carrier' })
    expect(job).toMatchObject({ state: 'running', total: 40, ended: 0, left: null, actor: 'ann' })
    await app.advance('10s')
    expect(await state(on, job.id)).toMatchObject({
      state: 'done',
      redriven: 40,
      resolved: 40,
      failed: 0,
      inFlight: 0,
      ended: 40,
    })
    expect(await counts()).toMatchObject({ parked: 0, redriven: 0, resolved: 40 })
    expect((await delivered()).toSorted((a, b) => a - b)).toEqual(letters(40).map(({ n }) => n))
  })

  test('one goes first, alone; the others follow when it went through', async () => {
    const { on, test: app, state: post, counts } = await returned(kind, 30)
    const { id } = await admin.startRedrive(on, {})
    app.app.wake()
    await app.runtime.rest()
    expect(post.tries.map(({ n }) => n)).toEqual([1])
    await app.advance('10s')
    const [first, second] = post.tries
    expect(second!.time).toBeGreaterThan(first!.time)
    expect((await counts()).resolved).toBe(30)
    expect(await state(on, id)).toMatchObject({ state: 'done', proven: true })
  })

  test('if the one that goes first fails again, the job stops with its why, and the others were not touched', async () => {
    const { on, test: app, state: post, counts } = await returned(kind, 30, { stillBroken: [1] })
    const { id } = await admin.startRedrive(on, {})
    await app.advance('10s')
    expect(await state(on, id)).toMatchObject({
      state: 'stopped',
      error: 'The one that went first failed again: Error: no such house: house-1',
      redriven: 1,
    })
    expect(post.tries.map(({ n }) => n)).toEqual([1])
    expect(await counts()).toMatchObject({ parked: 30, redriven: 0 })
  })

  test('it stops by itself when they fail again, before many were tried', async () => {
    const poison = letters(200, 2).map(({ n }) => n)
    const { on, test: app, state: post } = await returned(kind, 201, { stillBroken: poison })
    const { id } = await admin.startRedrive(on, {})
    await app.advance('30s')
    const after = await state(on, id)
    expect(after).toMatchObject({ state: 'stopped', resolved: 1 })
    expect(after.error).toMatch(
      /^\d+ of the \d+ that came to an end failed again\. The last: Error: no such house/,
    )
    // One alone, then ten at a time.
    expect(post.tries.length).toBeLessThanOrEqual(11)
  })

  test('it stops when too large a share fails, however many that may be', async () => {
    const some = letters(100).map(({ n }) => n)
    const stillBroken = some.filter((n) => n % 3 === 0)
    const { on, test: app } = await returned(kind, 100, { stillBroken })
    const { id } = await admin.startRedrive(on, { stopAfter: 1000 })
    await app.advance('30s')
    expect(await state(on, id)).toMatchObject({ state: 'stopped' })
    const patient = await admin.startRedrive(on, {
      stopAfter: 1000,
      stopShare: 1,
      canary: false,
    })
    await app.advance('30s')
    expect(await state(on, patient.id)).toMatchObject({ state: 'done', failed: 33 })
  })

  test('a job that stopped goes on when someone says so, and counts from there', async () => {
    const { on, test: app, state: post, counts } = await returned(kind, 30, { stillBroken: [1] })
    const { id } = await admin.startRedrive(on, {})
    await app.advance('5s')
    expect(await state(on, id)).toMatchObject({ state: 'stopped' })
    post.broken.clear()
    expect(await admin.resumeJob(on, id)).toMatchObject({ state: 'running', error: null })
    await app.advance('10s')
    expect(await state(on, id)).toMatchObject({
      state: 'done',
      resolved: 29,
      failed: 1,
      proven: true,
    })
    expect(await counts()).toMatchObject({ parked: 1, resolved: 29 })
  })

  test('a rate is kept', async () => {
    const { on, test: app, state: post } = await returned(kind, 60)
    const { id } = await admin.startRedrive(on, { rate: 10, canary: false })
    await app.advance('30s')
    expect(await state(on, id)).toMatchObject({ state: 'done', resolved: 60 })
    const times = post.tries.map(({ time }) => time)
    expect(times.at(-1)! - times[0]!).toBeGreaterThanOrEqual(5800)
    for (const [index, time] of times.entries())
      expect(
        times.filter((one) => one >= time && one < time + 1000).length,
        `from ${index}`,
      ).toBeLessThanOrEqual(12)
  })

  test('no more than so many are on their way at once', async () => {
    const { on, test: app, state: post } = await returned(kind, 30)
    await app.app.pause('carrier')
    const { id } = await admin.startRedrive(on, { inFlight: 7, canary: false })
    await app.advance('5s')
    expect(await state(on, id)).toMatchObject({ state: 'running', redriven: 7, inFlight: 7 })
    expect(post.tries).toEqual([])
    await app.app.resume('carrier')
    await app.advance('10s')
    expect(await state(on, id)).toMatchObject({ state: 'done', resolved: 30 })
  })
})
