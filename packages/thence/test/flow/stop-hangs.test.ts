// The end of an app on a database that no longer answers: what does not end is told, and the end is not put off for it.
import { aggregate, command, event, handler, plain } from 'thence'
import type { Database } from 'thence'
import { status } from 'thence/admin'
import { memory } from 'thence/memory'
import { testApp } from 'thence/testing'
import { describe, expect, test } from 'vitest'
import { gate, kinds, run, wrap } from '../kit/places.ts'

const Add = command('Add', plain<{ n: number }>())
const Added = event('Added', plain<{ n: number }>())

const counter = aggregate('counter', {
  initial: () => 0,
  evolve: (on) => on(Added, (sum, { data }) => sum + data.n),
  decide: (on) => on(Add, (_, { data }) => Added(data)),
  stream: () => 'one',
  snapshot: { every: 1 },
})

type Transaction = Parameters<Parameters<Database['transact']>[0]>[0]

const never = (): Promise<never> => new Promise<never>(() => undefined)

/** A database on which a transaction that asks for this port hangs. */
const hangingAt = (inner: Database, port: keyof Transaction, when: () => boolean): Database => {
  const watched = (transaction: Transaction, hit: () => void): Transaction =>
    new Proxy(transaction, {
      get: (target, name): unknown => {
        if (name === port) hit()
        const value: unknown = Reflect.get(target, name, target)
        return typeof value === 'function' ? (value.bind(target) as unknown) : value
      },
    })
  return wrap(inner, {
    transact: async (work, options) => {
      let hangs = false
      const result = await inner.transact(
        (one) => work(watched(one, () => (hangs ||= when()))),
        options,
      )
      return hangs ? never() : result
    },
  })
}

const start = async (database: Database) => {
  const shop = await testApp((app) => app.use(counter), { database })
  await shop.app.send(Add({ n: 1 }))
  await shop.advance('2s')
  return shop
}

/** Stops it; gives what did not end, and how long the end took. */
const end = async ({ app, runtime }: Awaited<ReturnType<typeof start>>) => {
  const unfinished: string[] = []
  app.listen(['stop-unfinished'], ({ what }) => void unfinished.push(what))
  const before = runtime.now()
  await runtime.until(app.stop({ deadline: '2s' }))
  return { unfinished, took: runtime.now() - before }
}

describe('an app stops though', () => {
  test('its snapshots are not written', async () => {
    let broken = false
    const shop = await start(hangingAt(memory(), 'snapshots', () => broken))
    broken = true
    const sent = shop.app.send(Add({ n: 2 }))
    await shop.runtime.until(sent)
    const { unfinished, took } = await end(shop)
    expect(unfinished).toEqual(['snapshots'])
    expect(took).toBeLessThanOrEqual(5000)
  })

  test('its report is not taken back', async () => {
    let broken = false
    const shop = await start(hangingAt(memory(), 'documents', () => broken))
    broken = true
    const { unfinished, took } = await end(shop)
    expect(unfinished).toContain('report')
    expect(took).toBeLessThanOrEqual(5000)
  })

  test('its database does not close', async () => {
    const shop = await start(wrap(memory(), { close: never }))
    const { unfinished, took } = await end(shop)
    expect(unfinished).toEqual(['database'])
    expect(took).toBeLessThanOrEqual(5000)
  })

  test('nothing that it asks of its database is answered', async () => {
    let broken = false
    const inner = memory()
    const shop = await start(
      wrap(inner, {
        transact: (work, options) => (broken ? never() : inner.transact(work, options)),
        read: (work) => (broken ? never() : inner.read(work)),
        close: () => (broken ? never() : inner.close()),
      }),
    )
    broken = true
    const { unfinished, took } = await end(shop)
    expect(unfinished).toContain('subscriptions')
    expect(unfinished).toContain('database')
    expect(took).toBeLessThanOrEqual(5000)
  })

  test('and tells of nothing where all of it ends', async () => {
    const { unfinished, took } = await end(await start(memory()))
    expect({ unfinished, took }).toEqual({ unfinished: [], took: 0 })
  })
})

describe.each(kinds)('a process that stops on $name', ({ make }) => {
  test('shows as stopping, with how much it has in hand, until it has ended', async () => {
    const place = make()
    const slow = gate()
    const hand = handler('hand', Added, {
      key: ({ data }) => `${data.n}`,
      timeout: '10m',
      run: ({ data }) => (data.n < 3 ? slow.opened : undefined),
    })
    const one = await run(place, (app) => app.use(hand))
    const two = await run(place, (app) => app.handle('other', Add, () => undefined))
    await one.app.append({ events: [1, 2, 3].map((n) => Added({ n })) })
    await place.runtime.advance('6s')
    const seen = async () =>
      (await status({ database: two.app.database, runtime: place.runtime })).processes
        .map(({ state, inHand, alive }) => ({ state, inHand, alive }))
        .toSorted((left, right) => (right.inHand ?? 0) - (left.inHand ?? 0))
    expect(await seen()).toEqual([
      { state: 'running', inHand: 2, alive: true },
      { state: 'running', inHand: 0, alive: true },
    ])
    const stopped = one.app.stop({ deadline: '1m' })
    await place.runtime.advance('2s')
    expect(await seen()).toEqual([
      { state: 'stopping', inHand: 2, alive: true },
      { state: 'running', inHand: 0, alive: true },
    ])
    slow.open()
    await place.runtime.until(stopped)
    expect(await seen()).toEqual([{ state: 'running', inHand: 0, alive: true }])
  })
})
