// Many sagas at once, with everything that can happen to each: every one ends, its streams say the same as its state,
// and the books balance: what was taken is what was given, less what was given back.
import * as fc from 'fast-check'
import { handler, saga, step } from 'thence'
import { describe, expect, it } from 'vitest'
import {
  Charge,
  Charged,
  Declined,
  Lost,
  Placed,
  Refund,
  Refunded,
  Release,
  Reserve,
  Reserved,
  Ship,
  Shipped,
  Short,
} from '../kit/orders.ts'
import type { Kind } from '../kit/places.ts'
import { all, kinds, run } from '../kit/places.ts'

const retry = { attempts: 3, base: 100, cap: 500 }
const fulfil = saga('fulfil', {
  startedBy: Placed,
  key: ({ data }) => data.id,
  steps: [
    step('payment', {
      do: Charge,
      done: Charged,
      failed: Declined,
      undo: Refund,
      undone: Refunded,
      timeout: '2s',
      retry,
    }),
    step('stock', { do: Reserve, done: Reserved, failed: Short, undo: Release, timeout: '2s' }),
    step('shipping', { do: Ship, done: Shipped, failed: Lost, retry }),
  ],
})

/** What the world does with one command: does it and says so, fails and says so, or works in silence, or not at all. */
type Fate = 'done' | 'failed' | 'silently done' | 'silence'
const fates: readonly Fate[] = ['done', 'done', 'done', 'failed', 'silently done', 'silence']

/** Money taken per order, and stock held per order. */
class World {
  readonly charged = new Map<string, number>()
  readonly reserved = new Map<string, number>()
  readonly shipped = new Map<string, number>()
}

const add = (book: Map<string, number>, id: string, by: number): void =>
  void book.set(id, Math.max(0, (book.get(id) ?? 0) + by))

const outside = (world: World, draw: () => number) =>
  handler('outside', [Charge, Refund, Reserve, Release, Ship], {
    key: ({ data }) => data.id,
    run: ({ type, data }, context) => {
      const fate = fates[Math.floor(draw() * fates.length)] as Fate
      const does = fate === 'done' || fate === 'silently done'
      const says = fate === 'done' || fate === 'failed'
      const answer = (done: typeof Charged, failed: typeof Charged): void =>
        void (says && context.append('answers', does ? done(data) : failed(data)))
      switch (type) {
        case 'Charge':
          // The bank knows the order: a second charge of it takes nothing.
          if (does) world.charged.set(data.id, 1)
          return answer(Charged, Declined as never)
        case 'Reserve':
          if (does) world.reserved.set(data.id, 1)
          return answer(Reserved as never, Short as never)
        case 'Ship':
          // Shipping has no timeout, so it always answers.
          if (does) add(world.shipped, data.id, 1)
          return context.append('answers', does ? Shipped(data) : Lost(data))
        case 'Refund':
          add(world.charged, data.id, -1)
          return context.append('answers', Refunded(data))
        case 'Release':
          return add(world.reserved, data.id, -1)
      }
    },
  })

const trade = async ({ make }: Kind, seed: number, orders: number) => {
  const world = new World()
  const place = make(seed)
  const draw = (): number => place.runtime.random()
  const test = await run(place, (app) => app.use(fulfil, outside(world, draw)).messages(Placed))
  const ids = Array.from({ length: orders }, (_, n) => `o-${n}`)
  await test.app.append({ events: ids.map((id) => Placed({ id })) })
  await test.settle()
  await test.advance('40s')
  return { world, test, ids }
}

describe.each(kinds)('two hundred sagas on $name', (kind) => {
  it('all end, whatever happens to them, and the books balance', { timeout: 60_000 }, async () => {
    const rounds = kind.name === 'memory' ? 8 : 2
    await fc.assert(
      fc.asyncProperty(fc.nat(), async (seed) => {
        const { world, test, ids } = await trade(kind, seed, 200)
        const outcomes = new Map<string, string>()
        for (const message of await all(test.app.log({ query: [{ types: ['fulfil.finished'] }] })))
          outcomes.set(
            message.stream.slice('fulfil-'.length),
            (message.data as { outcome: string }).outcome,
          )
        expect([...outcomes.keys()].toSorted()).toEqual(ids.toSorted())
        for (const id of ids) {
          const done = outcomes.get(id) === 'completed'
          const book = [
            world.charged.get(id) ?? 0,
            world.reserved.get(id) ?? 0,
            world.shipped.get(id) ?? 0,
          ]
          expect(book, `${id} ${outcomes.get(id)}`).toEqual(done ? [1, 1, 1] : [0, 0, 0])
        }
        expect(new Set(outcomes.values())).toEqual(new Set(['completed', 'compensated']))
        await test.stop()
      }),
      { numRuns: rounds },
    )
  })
})
