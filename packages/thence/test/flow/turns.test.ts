// A subscription that is far behind leaves room for everything else that the process has to do, its heartbeats first of
// all: what only promises drive would hold the event loop until it has caught up.
import { app, command, documents, event, handler, plain, projection, systemRuntime } from 'thence'
import type { Database } from 'thence'
import { retain } from 'thence/admin'
import { describe, expect, test } from 'vitest'
import type { Place } from '../kit/places.ts'
import { kinds } from '../kit/places.ts'

const Rung = event('Rung', plain<{ n: number }>())

/** A store with a backlog. */
const filled = async (place: Place, count: number): Promise<Database> => {
  const database = place.open()
  await using writing = await app({ database, logger: false }).messages(Rung).start()
  await writing.append({ events: Array.from({ length: count }, (_, n) => Rung({ n })) })
  return database
}

/** Counts the turns of the event loop until it is stopped. */
const turns = (): (() => number) => {
  const runtime = systemRuntime()
  let count = 0
  let stopped = false
  const again = (): void => {
    count += 1
    if (!stopped) runtime.soon(again)
  }
  runtime.soon(again)
  return () => {
    stopped = true
    return count
  }
}

describe.each(kinds.slice(0, 2))('the event loop turns while, on $name,', ({ make }) => {
  test('a handler catches up', async () => {
    const count = 500
    const database = await filled(make(), count)
    let handled = 0
    const ear = handler('ear', Rung, () => void (handled += 1))
    const stop = turns()
    await using running = await app({ database, logger: false }).use(ear).start()
    await running.whenIdle()
    expect(stop()).toBeGreaterThan(count / 100)
    expect(handled).toBe(count)
  })

  test('a view catches up', async () => {
    const count = 5000
    const database = await filled(make(), count)
    const seen = projection('seen', {
      view: documents<number>(),
      on: (on) => on(Rung, ({ data }, view) => view.put('last', data.n)),
    })
    const stop = turns()
    await using running = await app({ database, logger: false }).use(seen).start()
    await running.whenIdle()
    // A page of a view that is far behind has up to 2000 messages.
    expect(stop()).toBeGreaterThan(count / 2000)
  })

  test('messages are tried again, however soon they are due', async () => {
    const count = 100
    const database = await filled(make(), count)
    let broken = true
    const ear = handler('ear', Rung, {
      key: ({ data }) => String(data.n % 10),
      retry: { attempts: 1000, base: 0, cap: 0 },
      run: () => {
        if (broken) throw new Error('deaf')
      },
    })
    await using running = await app({ database, logger: false }).use(ear).start()
    const queued = Promise.withResolvers<void>()
    let waiting = 0
    running.listen(['message-queued'], () => {
      waiting += 1
      if (waiting === count - 20) queued.resolve()
    })
    await queued.promise
    broken = false
    const stop = turns()
    await running.whenIdle()
    expect(stop()).toBeGreaterThan(count / 10)
  })

  test('a replay looks for what is meant', async () => {
    const count = 5000
    const database = await filled(make(), count)
    const ear = handler('ear', Rung, {
      key: ({ data }) => String(data.n),
      replay: 'idempotent',
      run: () => undefined,
    })
    await using running = await app({ database, logger: false }).use(ear).start()
    await running.whenIdle()
    const stop = turns()
    expect(await running.replay('ear', { key: 'nobody' })).toMatchObject({ state: 'done' })
    // It is counted and done in pages of 500, or fewer.
    expect(stop()).toBeGreaterThan((2 * count) / 500)
  })

  test('timers fire', async () => {
    const count = 2000
    const database = await filled(make(), 1)
    const Struck = command('Struck', plain<{ n: number }>())
    const struck = handler('struck', Struck, () => undefined)
    await using before = await app({ database, logger: false }).use(struck).start()
    await Promise.all(
      Array.from({ length: count }, (_, n) => before.send(Struck({ n }), { in: '200ms' })),
    )
    const stop = turns()
    const all = Promise.withResolvers<void>()
    let fired = 0
    before.listen(['timer-fired'], () => {
      fired += 1
      if (fired === count) all.resolve()
    })
    await all.promise
    expect(stop()).toBeGreaterThan(count / 400)
  })

  test('retention removes', async () => {
    const count = 5000
    const database = await filled(make(), count)
    const stop = turns()
    const rule = { category: 'log', olderThan: 0 }
    const { rules } = await retain({ database }, { rule })
    expect(rules).toMatchObject([{ removed: count }])
    expect(stop()).toBeGreaterThan(count / 1500)
  })
})
