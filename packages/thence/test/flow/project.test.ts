// Read models: a view is the fold of the history, whatever fails or restarts on the way.
import * as fc from 'fast-check'
import { documents, projection } from 'thence'
import { discard, redrive } from 'thence/admin'
import { describe, expect, it } from 'vitest'
import type { Move } from '../kit/book.ts'
import {
  accounts,
  Balance,
  eventsOf,
  fold,
  inDocuments,
  inTables,
  Moved,
  shown,
  start,
  steps,
} from '../kit/book.ts'
import type { When } from '../kit/faults.ts'
import { faulty } from '../kit/faults.ts'
import { file, kinds, look, run, wrap } from '../kit/places.ts'

const ways = kinds.flatMap((kind) => [
  { ...kind, way: 'documents', book: inDocuments },
  ...(kind.sql ? [{ ...kind, way: 'tables', book: inTables }] : []),
])

describe.each(ways)('a view of $way on $name', ({ name, make, book }) => {
  const numRuns = name === 'memory' ? 40 : 10

  it.each([true, false])('is the fold of the history (inline: %s)', async (inline) => {
    await fc.assert(
      fc.asyncProperty(steps, fc.integer({ min: 1, max: 7 }), async (history, size) => {
        const test = await start(make(), book({ inline }))
        const events = eventsOf(history)
        let position = 0
        for (let from = 0; from < events.length; from += size)
          ({ position } = await test.app.append({ events: events.slice(from, from + size) }))
        expect(await shown(test, position)).toEqual(fold(history))
        await test.runtime.until(test.app.rebuild('book'))
        expect(await shown(test)).toEqual(fold(history))
        await test.stop()
      }),
      { numRuns },
    )
  })

  it('catches up after a restart', async () => {
    const place = make()
    const history = accounts.map((account, by) => ({ account, by }))
    const first = await start(place, book())
    await first.app.append({ events: eventsOf(history.slice(0, 2)) })
    await first.settle()
    await first.stop()
    const without = await run(place, (app) => app.messages(Moved))
    await without.app.append({ events: eventsOf(history.slice(2)) })
    await without.stop()
    const again = await start(place, book())
    await again.settle()
    expect(await shown(again)).toEqual(fold(history))
  })

  it.each(['before the commit', 'after the commit', 'instead of the commit'] as const)(
    'is right whichever write is lost %s',
    async (when: When) => {
      const history = Array.from({ length: 12 }, (_, n) => ({
        account: accounts[n % 4] as string,
        by: n,
      }))
      for (let lost = 1; lost < 8; lost += 1) {
        let since = 0
        let armed = false
        const chosen = (): When | undefined => {
          if (!armed) return undefined
          since += 1
          return since === lost ? when : undefined
        }
        const place = make()
        const test = await start(place, book(), (one) => faulty(one, chosen).database)
        await test.app.append({ events: eventsOf(history.slice(0, 6)) })
        armed = true
        await test.settle()
        armed = false
        await test.app.append({ events: eventsOf(history.slice(6)) })
        await test.settle()
        expect(await shown(test)).toEqual(fold(history))
        await test.stop()
      }
    },
  )
})

describe.each(kinds)('a following projection on $name', ({ make }) => {
  it('answers with what a command has just written, when it is asked to', async () => {
    const test = await start(make(), inDocuments())
    for (let by = 1; by <= 20; by += 1) {
      const { position } = await test.app.append({ events: Moved({ account: 'a', by: 1 }) })
      expect(await test.app.ask(Balance('a'), { after: position })).toBe(by)
    }
  })

  it('says how far it is when it does not get there in time', async () => {
    const test = await start(make(), inDocuments())
    const asked = test.app.ask(Balance('a'), { after: 99, timeout: 2000 })
    await expect(test.runtime.until(asked)).rejects.toMatchObject({
      code: 'POSITION_TIMEOUT',
      details: { subscription: 'book', position: 0, target: 99, lag: 99, head: 0 },
    })
  })

  it('gives up waiting when the caller does', async () => {
    const test = await start(make(), inDocuments())
    const caller = new AbortController()
    const asked = test.app.ask(Balance('a'), { after: 99, signal: caller.signal })
    caller.abort(new Error('enough'))
    await expect(asked).rejects.toMatchObject({ code: 'ABORTED' })
  })

  it('halts at an event that it cannot apply, and shows nothing of it or after it', async () => {
    let broken = true
    const test = await start(make(), inDocuments({ broken: () => broken }))
    const history = [
      { account: 'a', by: 1 },
      { account: 'b', by: 13 },
      { account: 'a', by: 5 },
    ]
    const { position } = await test.app.append({ events: eventsOf(history) })
    await test.settle()
    expect(await shown(test)).toEqual({ a: 1 })
    const asked = test.app.ask(Balance('a'), { after: position, timeout: 100 })
    await expect(test.runtime.until(asked)).rejects.toThrow(/at position 1 .* It is halted/)
    expect(test.spy.signals.map(({ name }) => name)).toEqual(['message-failed', 'message-parked'])
    await test.advance('10m')
    expect(test.spy.signals).toHaveLength(2)
    broken = false
    const letters = await look(test)(({ deadLetters }) => deadLetters.list({ limit: 2 }))
    expect(letters).toHaveLength(1)
    await redrive({ database: test.app.database, runtime: test.runtime }, letters[0]?.id ?? '')
    await test.advance('2s')
    expect(await shown(test, position)).toEqual(fold(history))
  })

  it('goes on behind an event that is given up', async () => {
    const place = make()
    const test = await start(place, inDocuments({ broken: () => true }))
    await test.app.append({
      events: eventsOf([
        { account: 'b', by: 13 },
        { account: 'a', by: 5 },
      ]),
    })
    await test.settle()
    await test.stop()
    const again = await start(place, inDocuments({ broken: () => true }))
    await again.settle()
    expect(await shown(again)).toEqual({})
    const [letter] = await look(again)(({ deadLetters }) => deadLetters.list({ limit: 2 }))
    await discard({ database: again.app.database, runtime: again.runtime }, letter?.id ?? '', 'No.')
    await again.advance('2s')
    expect(await shown(again)).toEqual({ a: 5 })
  })

  it('with a key keeps only that key waiting, until a rebuild begins anew', async () => {
    let broken = true
    const book = projection('book', {
      view: documents<number>(),
      key: ({ data }) => (data as Move).account,
      retry: { attempts: 1 },
      on: (on) =>
        on(Moved, async ({ data }, view) => {
          if (broken && data.by === 13) throw new Error('unlucky')
          await view.update(data.account, (before = 0) => before + data.by)
        }),
      answers: (on) => on(Balance, async (account, view) => (await view.get(account)) ?? null),
    })
    const test = await run(make(), (app) => app.use(book))
    const history = [
      { account: 'a', by: 13 },
      { account: 'b', by: 2 },
      { account: 'a', by: 1 },
      { account: 'b', by: 3 },
    ]
    const { position } = await test.app.append({ events: history.map((move) => Moved(move)) })
    await test.settle()
    const asked = (account: string) => test.app.ask(Balance(account), { after: position })
    expect([await asked('a'), await asked('b')]).toEqual([null, 5])
    broken = false
    await test.runtime.until(test.app.rebuild('book'))
    expect([await asked('a'), await asked('b')]).toEqual([14, 5])
    await test.app.append({ events: Moved({ account: 'a', by: 1 }) })
    await test.settle()
    expect(await asked('a')).toBe(15)
  })

  it('reads the log a page at a time, however long it is', async () => {
    const place = make()
    const before = await run(place, (app) => app.messages(Moved))
    for (let round = 0; round < 10; round += 1)
      await before.app.append({
        events: Array.from({ length: 100 }, () => Moved({ account: 'a', by: 1 })),
      })
    await before.stop()
    let most = 0
    const test = await start(place, inDocuments({ batch: 50 }), (one) =>
      wrap(one, {
        read: (work) =>
          one.read(async (transaction) => {
            const { events } = transaction
            const readAll: typeof events.readAll = async (options) => {
              const page = await events.readAll(options)
              most = Math.max(most, page.messages.length)
              return page
            }
            const own = { head: () => events.head(), readAll }
            const get = (target: typeof transaction, name: string | symbol): unknown =>
              name === 'events' ? own : Reflect.get(target, name, target)
            return work(new Proxy(transaction, { get }))
          }),
      }),
    )
    await test.settle()
    expect(await shown(test)).toEqual({ a: 1000 })
    expect(most).toBeGreaterThanOrEqual(50)
    expect(most).toBeLessThanOrEqual(200)
  })
})

describe('two apps on one file', () => {
  it('follow one projection without applying anything twice', async () => {
    const place = file.make()
    const both = [
      await start(place, inDocuments({ batch: 5 })),
      await start(place, inDocuments({ batch: 5 })),
    ] as const
    const appends = Array.from({ length: 200 }, (_, n) =>
      both[n % 2 === 0 ? 0 : 1].app.append({ events: Moved({ account: 'a', by: 1 }) }),
    )
    const results = await place.runtime.until(Promise.all(appends))
    const last = Math.max(...results.map(({ position }) => position))
    for (const test of both) expect(await shown(test, last)).toEqual({ a: 200 })
  })
})
