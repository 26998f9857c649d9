// Jobs that several processes do together, or that fail below a process: the rate is kept, what failed is told and done again.
import * as admin from 'thence/admin'
import { describe, expect, test } from 'vitest'
import { fillable, inPairs } from '../kit/faults.ts'
import type { Place } from '../kit/places.ts'
import { kinds } from '../kit/places.ts'
import type { Post } from '../kit/post-office.ts'
import { letters, returned, startPost } from '../kit/post-office.ts'

/** A look at the store from outside of its apps. */
const outside = async (place: Place): Promise<admin.On> => {
  const { runtime } = place
  const database = place.open()
  await database.open(runtime)
  return { database, runtime }
}

/** The most of `times` within any second. */
const busiest = (times: readonly number[]): number =>
  Math.max(...times.map((from) => times.filter((one) => one >= from && one < from + 1000).length))

const each = (count: number): number[] => letters(count).map(({ n }) => n)
const sorted = (numbers: readonly number[]): number[] => numbers.toSorted((a, b) => a - b)

describe.each(kinds)('on $name', (kind) => {
  test('two processes that find the next batch due at the same moment keep the rate together', async () => {
    const { place, state, test: before } = await returned(kind, 60)
    await before.stop()
    const pairs = inPairs('jobs')
    const other: Post = { broken: new Set(), tries: [] }
    const first = await startPost(place, state, pairs)
    await startPost(place, other, pairs)
    const on = await outside(place)
    const { id } = await admin.startRedrive(on, { rate: 10, canary: false })
    await place.runtime.advance('30s')
    pairs.end()
    expect(await admin.job(on, id)).toMatchObject({ state: 'done', progress: { resolved: 60 } })
    expect(sorted(await first.delivered())).toEqual(each(60))
    const times = [...state.tries, ...other.tries].map(({ time }) => time)
    expect(times).toHaveLength(60)
    expect(busiest(times)).toBeLessThanOrEqual(12)
    await on.database.close()
  })

  test('a batch that fails is told with its why, and taken again until it goes through', async () => {
    const { place, state, test: before } = await returned(kind, 20)
    await before.stop()
    let full = true
    const around = (one: admin.On['database']) => fillable(one, () => full, 'jobs')
    const { test: app, delivered } = await startPost(place, state, { around })
    const told: unknown[] = []
    app.app.listen(['job-failed'], ({ job, kind: of, retryIn, error }) => {
      expect(retryIn).toBeLessThanOrEqual(30_000)
      told.push([job, of, (error as Error).message])
    })
    const on = await outside(place)
    const { id } = await admin.startRedrive(on, {})
    await app.runtime.advance('2m')
    expect(told[0]).toEqual([id, 'redrive', 'The disk was made to be full.'])
    // With growing pauses: 0.2, 0.4, 0.8 … 30 seconds at most, of which chance takes half on average.
    expect(told.length).toBeGreaterThan(5)
    expect(told.length).toBeLessThan(40)
    expect(state.tries).toEqual([])
    full = false
    await app.advance('1m')
    expect(await admin.job(on, id)).toMatchObject({ state: 'done', progress: { resolved: 20 } })
    expect(sorted(await delivered())).toEqual(each(20))
    await on.database.close()
  })

  test('a job that always fails holds up no other', async () => {
    const { on, test: app } = await returned(kind, 10)
    const jobs: string[] = []
    app.app.listen(['job-failed'], ({ job }) => jobs.push(job))
    const good = [await admin.startRedrive(on, { limit: 4 })]
    const [spec, id] = ['not what a redrive can read', app.runtime.id()]
    await on.database.transact(async (transaction) => {
      const like = await transaction.jobs.get(good[0]!.id)
      await transaction.jobs.save({ ...like!, id, spec }, 0)
    })
    good.push(await admin.startRedrive(on, { type: 'Posted' }))
    await app.advance('1m')
    for (const one of good) expect(await admin.job(on, one.id)).toMatchObject({ state: 'done' })
    expect(new Set(jobs)).toEqual(new Set([id]))
    expect(await on.database.read((transaction) => transaction.jobs.get(id))).toMatchObject({
      state: 'running',
    })
  })
})
