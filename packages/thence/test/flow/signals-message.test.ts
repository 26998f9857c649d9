// What is told of a message on its way through a subscription, with exact times by a clock that the test moves.
import { documents, event, handler, plain, projection } from 'thence'
import type { App, AppBuilder, Signal, SignalName } from 'thence'
import { redrive } from 'thence/admin'
import type { SignalNamed, TestAppOptions } from 'thence/testing'
import { testApp, virtualRuntime } from 'thence/testing'
import { expect, onTestFinished, test } from 'vitest'
import { fillable } from '../kit/faults.ts'
import type { Kind } from '../kit/places.ts'
import { kinds, run } from '../kit/places.ts'

const inMemory = kinds[0] as Kind

const Rung = event('Rung', plain<{ bell: string; n: number }>())

const names = [
  'message-begun',
  'message-handled',
  'message-queued',
  'message-returned',
  'message-failed',
  'message-parked',
  'message-resolved',
  'checkpoint-moved',
] as const satisfies readonly SignalName[]

const listening = (app: Pick<App, 'listen'>): Signal[] => {
  const heard: Signal[] = []
  app.listen(names, (signal) => void heard.push(signal))
  return heard
}

const of = <N extends SignalName>(heard: readonly Signal[], name: N): readonly SignalNamed<N>[] =>
  heard.filter((signal): signal is SignalNamed<N> => signal.name === name)

const start = async <C extends string, Q extends string>(
  build: (builder: AppBuilder) => AppBuilder<C, Q>,
  options: TestAppOptions = {},
) => {
  const shop = await testApp(build, options)
  onTestFinished(() => shop.stop())
  return { ...shop, heard: listening(shop.app) }
}

/** A handler that takes so long. */
const taking = (milliseconds: number, runtime = virtualRuntime()) => {
  const ear = handler('ear', Rung, {
    run: () => new Promise<void>((resolve) => void runtime.after(milliseconds, resolve)),
  })
  return { ear, runtime }
}

test('a message that is done is told with how long it waited, took, and lived', async () => {
  const { ear, runtime } = taking(25)
  const { app, heard, ...shop } = await start((builder) => builder.use(ear), { runtime })
  await app.append({ stream: 'bells', events: [1, 2].map((n) => Rung({ bell: 'a', n })) })
  await shop.settle()
  const told = { subscription: 'ear', partition: 0, key: 'bells', type: 'Rung', attempt: 1 }
  expect(of(heard, 'message-begun')).toMatchObject([
    { ...told, position: 1, waited: 0 },
    { ...told, position: 2, waited: 25 },
  ])
  expect(of(heard, 'message-handled')).toMatchObject([
    { ...told, position: 1, waited: 0, took: 25, latency: 25 },
    { ...told, position: 2, waited: 25, took: 25, latency: 50 },
  ])
  expect(app.metrics().total.messages).toMatchObject([
    {
      subscription: 'ear',
      type: 'Rung',
      handled: 2,
      failed: 0,
      latency: { count: 2, max: 50, sum: 75 },
      took: { count: 2, max: 25, sum: 50 },
    },
  ])
})

test('a message that fails is told with every attempt, from when to when', async () => {
  let failures = 2
  const { app, heard, ...shop } = await start((builder) =>
    builder.handle('ear', Rung, () => {
      if (failures-- > 0) throw new Error('deaf')
    }),
  )
  await app.append({ events: Rung({ bell: 'a', n: 1 }) })
  await shop.settle()
  const [first, second] = of(heard, 'message-failed')
  expect([first?.attempts, second?.attempts]).toEqual([1, 2])
  expect(of(heard, 'message-begun')).toMatchObject([
    { attempt: 1, waited: 0 },
    { attempt: 2, waited: expect.any(Number) },
    { attempt: 3 },
  ])
  const [done] = of(heard, 'message-handled')
  expect(done?.attempt).toBe(3)
  const waits = (first?.retryIn ?? 0) + (second?.retryIn ?? 0)
  expect(done?.latency).toBeGreaterThanOrEqual(Math.floor(waits))
  expect(app.metrics().total.messages).toMatchObject([{ handled: 1, failed: 2, parked: 0 }])
})

test('a message that is parked, those behind it, and its way out after all are told', async () => {
  let broken = true
  const ear = handler('ear', Rung, {
    key: ({ data }) => data.bell,
    retry: { attempts: 1 },
    run: ({ data }) => {
      if (broken && data.bell === 'a') throw new Error('deaf')
    },
  })
  const { app, heard, spy, runtime, ...shop } = await start((builder) => builder.use(ear))
  const rings = ['a', 'b', 'a'].map((bell, n) => Rung({ bell, n }))
  await app.append({ events: rings })
  await shop.settle()
  expect(of(heard, 'message-parked')).toMatchObject([{ position: 1, key: 'a', partition: 0 }])
  expect(of(heard, 'message-queued')).toMatchObject([{ position: 3, key: 'a' }])
  expect(of(heard, 'message-handled')).toMatchObject([{ position: 2 }])
  expect(app.metrics().total.messages).toMatchObject([
    { handled: 1, failed: 1, parked: 1, queued: 1 },
  ])
  broken = false
  const { database } = app
  const [letter] = await database.read(({ deadLetters }) =>
    deadLetters.list({ state: 'parked', limit: 1 }),
  )
  await redrive({ database, runtime }, letter?.id ?? '')
  app.wake()
  await shop.settle()
  await spy.signal('message-resolved', ({ position }) => position === 1)
  const handled = of(heard, 'message-handled')
  expect(handled.map(({ position }) => position)).toEqual([2, 1, 3])
})

test('a message that is given back at the deadline of a stop is told so, and counts no attempt', async () => {
  const { ear, runtime } = taking(60_000)
  const shop = await testApp((builder) => builder.use(ear), { runtime })
  const heard = listening(shop.app)
  await shop.app.append({ events: Rung({ bell: 'a', n: 1 }) })
  await runtime.rest()
  await runtime.until(shop.app.stop({ deadline: '1s' }))
  expect(of(heard, 'message-begun')).toHaveLength(1)
  expect(of(heard, 'message-returned')).toMatchObject([{ subscription: 'ear', position: 1 }])
  expect([...of(heard, 'message-failed'), ...of(heard, 'message-handled')]).toEqual([])
})

test('a checkpoint is told with what lies behind it, in messages and in time', async () => {
  const { ear, runtime } = taking(10)
  const { app, heard, ...shop } = await start((builder) => builder.use(ear), { runtime })
  await app.append({
    stream: 'bells',
    events: Array.from({ length: 30 }, (_, n) => Rung({ bell: 'a', n })),
  })
  await shop.settle()
  const moves = of(heard, 'checkpoint-moved')
  expect(moves.reduce((sum, { messages }) => sum + messages, 0)).toBe(30)
  for (const { position, behind, behindMs } of moves)
    expect([behind, behindMs]).toEqual(position === 30 ? [0, 0] : [30 - position, 10 * position])
  expect(app.metrics().total.subscriptions).toMatchObject([
    { subscription: 'ear', pages: moves.length, page: { count: moves.length, sum: 30 } },
  ])
})

test('messages of a view are told one by one, and its page as one', async () => {
  const seen = projection('seen', {
    view: documents<number>(),
    on: (on) => on(Rung, ({ data }, view) => view.put(data.bell, data.n)),
  })
  const { app, heard, ...shop } = await start((builder) => builder.use(seen))
  await app.append({ events: [1, 2, 3].map((n) => Rung({ bell: 'a', n })) })
  await shop.settle()
  expect(of(heard, 'message-handled').map(({ position }) => position)).toEqual([1, 2, 3])
  expect(of(heard, 'message-begun')).toEqual([])
  expect(of(heard, 'checkpoint-moved')).toMatchObject([{ messages: 3, position: 3 }])
})

test('a store that failed below a subscription is told, and that it works again', async () => {
  let full = false
  const seen = projection('seen', {
    view: documents<number>(),
    on: (on) => on(Rung, ({ data }, view) => view.put(data.bell, data.n)),
  })
  const place = inMemory.make()
  const shop = await run(place, (builder) => builder.use(seen), {
    around: (one) => fillable(one, () => full),
  })
  full = true
  await shop.app.append({ events: Rung({ bell: 'a', n: 1 }) })
  const failed = await shop.spy.signal('subscription-failed')
  full = false
  const recovered = await shop.spy.signal('subscription-recovered')
  expect([failed.subscription, recovered]).toEqual([
    'seen',
    { name: 'subscription-recovered', subscription: 'seen', failures: expect.any(Number) },
  ])
  await shop.settle()
  expect(shop.app.metrics().total.subscriptions).toMatchObject([
    { storeFailures: recovered.failures },
  ])
})

test('whoever listens, and however badly, the same things happen', async () => {
  const Heard = event('Heard', plain<{ n: number }>())
  const story = async (options: TestAppOptions, listen: (app: App<never, never>) => void) => {
    const tries = new Map<number, number>()
    const ear = handler('ear', Rung, {
      key: ({ data }) => data.bell,
      retry: { attempts: 3 },
      run: ({ data }, { append }) => {
        const count = (tries.get(data.n) ?? 0) + 1
        tries.set(data.n, count)
        // Some work at the second attempt, some never.
        if (data.n % 5 === 0 || (data.n % 3 === 0 && count < 2)) throw new Error('deaf')
        append('ears', Heard({ n: data.n }))
      },
    })
    await using shop = await testApp((app) => app.use(ear).messages(Heard), { seed: 7, ...options })
    listen(shop.app)
    for (let n = 1; n <= 40; n += 1)
      await shop.app.append({ events: Rung({ bell: `b${n % 4}`, n }) })
    await shop.settle()
    const log: unknown[] = []
    for await (const message of shop.app.log()) log.push(message)
    const letters = await shop.app.database.read(({ deadLetters }) =>
      deadLetters.list({ limit: 100 }),
    )
    return { log, letters, now: shop.runtime.now() }
  }
  const alone = await story({ metrics: false }, () => undefined)
  expect(alone.letters.length).toBeGreaterThan(3)
  expect(await story({}, () => undefined)).toEqual(alone)
  expect(
    await story({}, (app) => {
      app.listen(names, () => {
        throw new Error('I only listen.')
      })
      app.listen(['messages-appended', ...names], (): unknown =>
        Promise.reject(new Error('I listen later.')),
      )
    }),
  ).toEqual(alone)
})
