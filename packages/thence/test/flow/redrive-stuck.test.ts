// Jobs that cannot move: nobody runs what they need, or they wait behind a parked message. Each says so, and what to do.
import { handler } from 'thence'
import type { Database } from 'thence'
import * as admin from 'thence/admin'
import { describe, expect, test } from 'vitest'
import type { Kind, Place } from '../kit/places.ts'
import { kinds, run, wrap } from '../kit/places.ts'
import { Delivered, Posted } from '../kit/post-office-messages.ts'
import { letters, returned, startPost } from '../kit/post-office.ts'

type Office = Awaited<ReturnType<typeof startPost>>

/** The next release of the app, which has no carrier any more. */
const withoutCarrier = async (place: Place) => {
  const test = await run(place, (app) =>
    app.use(handler('clerk', Delivered, () => undefined)).messages(Posted),
  )
  return { test, on: { database: test.app.database, runtime: place.runtime } }
}

const noCarrier = 'no running app has handler carrier'

/** Posts letters of one house, of which `first` waits with its key, and those after it are parked too. */
const behind = async (kind: Kind, count = 3) => {
  const place = kind.make()
  const post = {
    broken: new Set<number | 'all'>(['all']),
    tries: [] as { n: number; time: number; id: string }[],
  }
  const office = await startPost(place, post, { onFailure: 'park-message' })
  await office.post(...letters(count).map(({ n }) => ({ n, to: 'same' })))
  const [first, second, third, ...more] = await office.letters()
  await office.test.app.setPolicy('carrier', 'park-key')
  await office.test.advance('2s')
  await admin.redrive(office.on, first!.id)
  await office.test.advance('2s')
  post.broken.clear()
  post.tries.length = 0
  return { ...office, place, post: { ...post, send: office.post }, first, second, third, more }
}

const attention = async ({ on }: Pick<Office, 'on'>): Promise<readonly string[]> =>
  (await admin.status(on)).attention.map(({ name, what, advice }) => `${name} ${what}. ${advice}`)

describe.each(kinds)('on $name', (kind) => {
  test('a redrive for a handler that no running app has sends nothing, says so, and can be cancelled', async () => {
    const office = await returned(kind, 5)
    await office.test.stop()
    const next = await withoutCarrier(office.place)
    expect((await admin.planRedrive(next.on, {})).absent).toEqual(['handler carrier'])
    const begun = await admin.startRedrive(next.on, {})
    expect(begun).toMatchObject({ state: 'waiting', waits: noCarrier, left: null })
    await next.test.advance('2m')
    expect(await admin.job(next.on, begun.id)).toMatchObject({
      state: 'waiting',
      waits: noCarrier,
      progress: { redriven: 0, absent: 'carrier' },
    })
    expect(await admin.jobs(next.on, { state: 'running' })).toMatchObject([{ state: 'waiting' }])
    expect((await admin.status(next.on)).jobs).toMatchObject([
      { state: 'waiting', waits: noCarrier },
    ])
    expect(await attention(next)).toContain(
      `redrive a job waits: ${noCarrier}. Start one that has it, or: thence jobs cancel ${begun.id}`,
    )
    expect((await admin.status(next.on)).deadLetters).toMatchObject({ parked: 5, redriven: 0 })
    const cancelled = await admin.cancelJob(next.on, begun.id)
    expect(cancelled).toMatchObject({ state: 'cancelled', waits: null })
    expect((await admin.status(next.on)).jobs).toEqual([])
  })

  test('it goes on when an app has the handler again', async () => {
    const office = await returned(kind, 5)
    await office.test.stop()
    const next = await withoutCarrier(office.place)
    const { id } = await admin.startRedrive(next.on, {})
    await next.test.advance('1m')
    const again = await startPost(office.place, office.state)
    await again.test.advance('20s')
    expect(await admin.job(again.on, id)).toMatchObject({
      state: 'done',
      waits: null,
      progress: { resolved: 5 },
    })
  })

  test('what a job has on its way says that it waits when its handler is removed', async () => {
    const office = await returned(kind, 5)
    await office.test.app.pause('carrier')
    const { id } = await admin.startRedrive(office.on, {})
    await office.test.advance('2s')
    expect(await admin.job(office.on, id)).toMatchObject({ state: 'running', waits: null })
    await office.test.stop()
    const none = { ...office.on, database: office.place.open() }
    await none.database.open(office.place.runtime)
    expect(await admin.job(none, id)).toMatchObject({ state: 'waiting', waits: 'no app runs' })
    await none.database.close()
    const next = await withoutCarrier(office.place)
    await next.test.advance('2m')
    expect(await admin.job(next.on, id)).toMatchObject({
      state: 'waiting',
      waits: noCarrier,
      progress: { redriven: 1, inFlight: 1 },
    })
    expect(await admin.cancelJob(next.on, id)).toMatchObject({ state: 'cancelled' })
  })

  test('the one that goes first is for a handler that runs, though the first letter is not', async () => {
    const place = kind.make()
    let broken = true
    const part = (name: string) =>
      handler(name, Posted, {
        key: ({ data }) => data.to,
        retry: { attempts: 1 },
        run: () => {
          if (broken) throw new Error('not now')
        },
      })
    const old = await run(place, (app) => app.use(part('aunt'), part('zoe')))
    await old.app.append({ events: Posted({ n: 1, to: 'here' }) })
    await old.settle()
    await old.stop()
    broken = false
    const young = await run(place, (app) => app.use(part('zoe')))
    const on = { database: young.app.database, runtime: place.runtime }
    expect((await admin.planRedrive(on, {})).absent).toEqual(['handler aunt'])
    const { id, state } = await admin.startRedrive(on, {})
    expect(state).toBe('running')
    await young.advance('2m')
    expect(await admin.job(on, id)).toMatchObject({
      state: 'waiting',
      waits: 'no running app has handler aunt',
      progress: { proven: true, resolved: 1, inFlight: 1 },
    })
  })

  test('one letter is redriven, and the answer says that nobody takes it', async () => {
    const office = await returned(kind, 2)
    const [one, two] = await office.letters()
    expect(await admin.redrive(office.on, one!.id)).toMatchObject({ waits: null })
    await office.test.stop()
    const next = await withoutCarrier(office.place)
    expect(await admin.redrive(next.on, two!.id)).toMatchObject({ waits: noCarrier })
  })

  test('a replay for a handler that no running app has says that it waits', async () => {
    const place = kind.make()
    const carrier = handler('carrier', Posted, { replay: 'idempotent', run: () => undefined })
    const old = await run(place, (app) => app.use(carrier))
    await old.app.append({ events: [1, 2, 3].map((n) => Posted({ n, to: 'here' })) })
    await old.settle()
    await old.stop()
    const next = await withoutCarrier(place)
    expect(await admin.planReplay(next.on, 'carrier')).toMatchObject({ waits: noCarrier })
    const { id, state } = await admin.startReplay(next.on, 'carrier')
    expect(state).toBe('waiting')
    await next.test.advance('2m')
    expect(await attention(next)).toContain(
      `replay a job waits: ${noCarrier}. Start one that has it, or: thence jobs cancel ${id}`,
    )
    expect(await admin.cancelJob(next.on, id)).toMatchObject({ state: 'cancelled' })
  })

  test('none that can go first, because all wait behind a message that is parked, stops the job with what to do', async () => {
    const { on, test: app, first, second, third, post, counts, delivered } = await behind(kind)
    const ids = [second!.id, third!.id]
    const { id } = await admin.startRedrive(on, { ids })
    await app.advance('5s')
    expect(await admin.job(on, id)).toMatchObject({
      state: 'stopped',
      error:
        `None can go first: the letter ${second!.id} waits behind the letter ${first!.id} (carrier, key same, position 1), ` +
        `which is parked and not part of this job. First redrive that one, or discard it: thence dead-letters redrive ${first!.id}`,
      progress: { redriven: 0, inFlight: 0 },
    })
    expect(post.tries).toEqual([])
    expect(await counts()).toMatchObject({ parked: 3, redriven: 0 })
    await admin.redrive(on, first!.id)
    await app.advance('5s')
    await admin.resumeJob(on, id)
    await app.advance('10s')
    expect(await admin.job(on, id)).toMatchObject({ state: 'done', progress: { resolved: 2 } })
    expect(await delivered()).toEqual([1, 2, 3])
  })

  test('another one goes first where the first letters wait behind a message that is parked, however many', async () => {
    const office = await behind(kind, 230)
    const { on, test: app, second, third, more, post, delivered, letters: find } = office
    post.broken.add(9)
    await post.send({ n: 9, to: 'other' })
    const other = (await find({ state: 'parked' })).find(({ key }) => key === 'other')
    post.broken.clear()
    const ids = [second!, third!, ...more, other!].map((letter) => letter.id)
    const { id } = await admin.startRedrive(on, { ids })
    await app.advance('20s')
    expect(await delivered()).toEqual([9])
    expect(await admin.job(on, id)).toMatchObject({
      state: 'done',
      progress: { proven: true, redriven: 230, resolved: 1, inFlight: 229 },
    })
  })

  test('one that went first and has come to wait behind a parked message is not waited for', async () => {
    const { on, test: app, first, second, post, delivered, letters: find } = await behind(kind)
    post.broken.add(9)
    await post.send({ n: 9, to: 'other' })
    const other = (await find({ state: 'parked' })).find(({ key }) => key === 'other')
    post.broken.delete(9)
    post.broken.add(1)
    await app.app.pause('carrier')
    // It is tried before the other one, and fails again.
    await admin.redrive(on, first!.id)
    const alone = await admin.startRedrive(on, { ids: [second!.id] })
    await app.advance('2s')
    expect(await admin.job(on, alone.id)).toMatchObject({ progress: { canary: second!.id } })
    const both = await admin.startRedrive(on, { ids: [other!.id] })
    await app.app.resume('carrier')
    await app.advance('20s')
    expect(await admin.job(on, alone.id)).toMatchObject({
      state: 'stopped',
      error: expect.stringContaining(
        `the letter ${second!.id} waits behind the letter ${first!.id}`,
      ),
      progress: { redriven: 1, inFlight: 1, canary: null },
    })
    expect(await admin.job(on, both.id)).toMatchObject({ state: 'done' })
    expect(await delivered()).toEqual([9])
  })

  test('what went through is counted though retention has removed its letters', async () => {
    const { on, test: app } = await returned(kind, 60)
    const { id } = await admin.startRedrive(on, { rate: 10, canary: false })
    for (let n = 0; n < 12; n += 1) {
      await app.advance('1s')
      await on.database.transact(({ deadLetters }) =>
        deadLetters.trim(Number.MAX_SAFE_INTEGER, 1000),
      )
    }
    expect(await admin.job(on, id)).toMatchObject({
      state: 'done',
      ended: 60,
      progress: { resolved: 60, failed: 0 },
    })
  })

  test('a job that stops tells the last failure, however many there were', async () => {
    const { on, test: app, state } = await returned(kind, 230, { stillBroken: ['all'] })
    const options = { canary: false, stopAfter: 215, stopShare: 1, rate: 50 }
    const { id } = await admin.startRedrive(on, options)
    await app.advance('10s')
    const { state: now, error } = await admin.job(on, id)
    const last = state.tries.at(-1)?.n ?? 0
    expect(now).toBe('stopped')
    expect(last).toBeGreaterThan(210)
    const [, house] = /no such house: house-(\d+)$/.exec(error ?? '') ?? []
    expect(Number(house)).toBeGreaterThan(200)
  })

  test('a job that waits for what it has sent does not read the letters again and again', async () => {
    let lists = 0
    const counting = (one: Database): Database =>
      wrap(one, {
        transact: (work, options) =>
          one.transact(
            (transaction) =>
              work(
                new Proxy(transaction, {
                  get(target, port) {
                    const value: unknown = Reflect.get(target, port, target)
                    if (port !== 'deadLetters')
                      return typeof value === 'function' ? value.bind(target) : value
                    return new Proxy(target.deadLetters, {
                      get(letters_, name) {
                        if (name === 'list') lists += 1
                        const method: unknown = Reflect.get(letters_, name, letters_)
                        return typeof method === 'function' ? method.bind(letters_) : method
                      },
                    })
                  },
                }),
              ),
            options,
          ),
      })
    const { on, test: app } = await returned(kind, 30, { around: counting })
    await app.app.pause('carrier')
    const { id } = await admin.startRedrive(on, { canary: false, inFlight: 30 })
    await app.advance('10s')
    const { progress } = await admin.job(on, id)
    expect(progress).toMatchObject({ inFlight: 10 })
    lists = 0
    await app.advance('30s')
    expect(lists).toBe(0)
    await app.app.resume('carrier')
    await app.advance('20s')
    expect(await admin.job(on, id)).toMatchObject({ state: 'done', progress: { resolved: 30 } })
  })
})
