// What becomes of a message that fails for good, and of everything behind it: four policies, for handlers, views and
// sagas; and what kind of failure it was decides how soon that is.
import type { FailurePolicy } from 'thence'
import { documents, event, handler, plain, projection, query, saga, step, command } from 'thence'
import * as admin from 'thence/admin'
import { describe, expect, it } from 'vitest'
import type { Kind } from '../kit/places.ts'
import { all, kinds, look, run } from '../kit/places.ts'

const Counted = event('Counted', plain<{ lane: number; n: number }>())
const Seen = query('Seen', { input: plain<null>(), output: plain<number>() })

const many = 10_000
const lanes = 100
const bad = 4321
const policies: readonly FailurePolicy[] = ['park-key', 'park-message', 'skip', 'stop']
const inMemory = kinds.slice(0, 2)
const minute = 60_000

/** `count` events over the lanes; number `bad` is the one that fails. */
const counted = (count: number) =>
  Array.from({ length: count }, (_, n) => Counted({ lane: n % lanes, n }))

type Test = Awaited<ReturnType<typeof run>>

const stored = async (test: Test, subscription: string) => {
  const view = look(test)
  const letters = await view(({ deadLetters }) => deadLetters.list({ limit: 10 }))
  const { due, parked, queued } = await view(({ retries }) => retries.outlook(subscription))
  const status = await admin.subscriptions({ database: test.app.database, runtime: test.runtime })
  return {
    letters: letters.map(({ state, reason }) => [state, reason]),
    waiting: { due, parked, queued },
    state: status.find(({ name }) => name === subscription)?.state,
  }
}

const isBad = (n: number): boolean => n === bad

/** In the lane of the bad one, after it. */
const behind = Math.floor((many - 1 - bad) / lanes)

const expected = {
  'park-key': {
    letters: [['parked', null]],
    waiting: { due: 0, parked: 1, queued: behind },
    state: 'caught-up',
    handled: many - 1 - behind,
  },
  'park-message': {
    letters: [['parked', null]],
    waiting: { due: 0, parked: 0, queued: 0 },
    state: 'caught-up',
    handled: many - 1,
  },
  skip: {
    letters: [['discarded', 'skipped by policy']],
    waiting: { due: 0, parked: 0, queued: 0 },
    state: 'caught-up',
    handled: many - 1,
  },
} as const

describe.each(inMemory)('one bad message in ten thousand on $name', ({ make }: Kind) => {
  it.each(['park-key', 'park-message', 'skip'] as const)(
    'of a handler, %s: what must go on goes on in order, what must wait waits, and it is kept',
    async (onFailure) => {
      const last = new Map<number, number>()
      let handled = 0
      const counter = handler('counter', Counted, {
        key: ({ data }) => String(data.lane),
        onFailure,
        retry: { attempts: 3, base: 10 },
        run: ({ data: { lane, n } }) => {
          if (isBad(n)) throw new Error('It is bad.')
          expect(n).toBeGreaterThan(last.get(lane) ?? -1)
          last.set(lane, n)
          handled += 1
        },
      })
      const test = await run(make(), (app) => app.use(counter))
      await test.app.append({ events: counted(many) })
      await test.settle()
      expect({ ...(await stored(test, 'counter')), handled }).toEqual(expected[onFailure])
    },
    minute,
  )

  it(
    'of a handler, stop: the whole subscription pauses until someone resumes it, and then nothing is missing',
    async () => {
      let broken = true
      const handled = new Set<number>()
      const counter = handler('counter', Counted, {
        key: ({ data }) => String(data.lane),
        onFailure: 'stop',
        retry: { attempts: 1 },
        run: ({ data: { n } }) => {
          if (broken && isBad(n)) throw new Error('It is bad.')
          handled.add(n)
        },
      })
      const test = await run(make(), (app) => app.use(counter))
      await test.app.append({ events: counted(many) })
      await test.settle()
      const stopped = await stored(test, 'counter')
      expect([stopped.letters, stopped.state]).toEqual([[['parked', null]], 'paused'])
      // What was in hand is finished: at most one page more.
      expect(handled.size).toBeGreaterThanOrEqual(bad)
      expect(handled.size).toBeLessThan(bad + 200)
      await test.advance('10s')
      expect(handled.size).toBeLessThan(bad + 200)
      broken = false
      const on = { database: test.app.database, runtime: test.runtime }
      const [letter] = await admin.deadLetters(on, { state: 'parked' })
      await admin.redrive(on, String(letter?.id))
      await test.app.resume('counter')
      await test.settle()
      expect(handled.size).toBe(many)
      expect((await stored(test, 'counter')).state).toBe('caught-up')
    },
    minute,
  )

  it.each(policies)(
    'of a view without a key, %s: it waits at it, or goes on without it and keeps it',
    async (onFailure) => {
      const seen = projection('seen', {
        view: documents<{ n: number }>(),
        onFailure,
        retry: { attempts: 2, base: 10 },
        on: (on) =>
          on(Counted, ({ data: { n } }, view) => {
            if (isBad(n)) throw new Error('It is bad.')
            return view.put(String(n), { n })
          }),
        answers: (on) => on(Seen, async (_, view) => (await all(view.list())).length),
      })
      const test = await run(make(), (app) => app.use(seen))
      await test.app.append({ events: counted(many) })
      await test.settle()
      const goesOn = onFailure === 'park-message' || onFailure === 'skip'
      expect(await test.app.ask(Seen(null))).toBe(goesOn ? many - 1 : bad)
      const { letters, waiting, state } = await stored(test, 'seen')
      expect(letters.map(([kept]) => kept)).toEqual([onFailure === 'skip' ? 'discarded' : 'parked'])
      expect(waiting.parked).toBe(goesOn ? 0 : 1)
      expect(state).toBe(
        { 'park-key': 'halted', stop: 'paused', 'park-message': 'caught-up', skip: 'caught-up' }[
          onFailure
        ],
      )
    },
    minute,
  )
})

const Placed = event('Placed', plain<{ id: string }>())
const Charge = command('Charge', plain<{ id: string }>())
const Charged = event('Charged', plain<{ id: string }>())

const fulfilment = (onFailure: FailurePolicy, broken: () => boolean) =>
  saga('fulfilment', {
    startedBy: Placed,
    key: ({ data }) => data.id,
    onFailure,
    steps: [
      step('payment', {
        do: ({ data }) => {
          const placed = data(Placed)
          if (broken() && placed.id === 'bad')
            throw Object.assign(new Error('no'), { retryable: false })
          return Charge(placed)
        },
        done: Charged,
      }),
    ],
  })

describe.each(inMemory)('a saga on $name', ({ make }: Kind) => {
  it.each(policies)(
    'that fails on one instance, %s: the others go on, unless all stop',
    async (onFailure) => {
      const charged: string[] = []
      let broken = true
      const test = await run(make(), (app) =>
        app
          .use(fulfilment(onFailure, () => broken))
          .messages(Charged)
          .handle('till', Charge, ({ data }) => void charged.push(data.id)),
      )
      await test.app.append({ events: ['a', 'bad', 'b'].map((id) => Placed({ id })) })
      await test.settle()
      expect(charged).toEqual(onFailure === 'stop' ? ['a'] : ['a', 'b'])
      const { letters, state } = await stored(test, 'fulfilment')
      expect(letters.map(([kept]) => kept)).toEqual([onFailure === 'skip' ? 'discarded' : 'parked'])
      expect(state).toBe(onFailure === 'stop' ? 'paused' : 'caught-up')
      broken = false
      await test.app.resume('fulfilment')
      await test.settle()
      expect(charged).toEqual(['a', 'b'])
    },
  )
})
