// Promises of docs/reference/guarantees.md that no other test is about: views, snapshots, and values, on both adapters.
import { deepStrictEqual } from 'node:assert/strict'
import { DatabaseSync } from 'node:sqlite'
import fc from 'fast-check'
import type { App, Database } from 'thence'
import {
  aggregate,
  command,
  documents,
  event,
  isThenceError,
  plain,
  projection,
  query,
  reject,
} from 'thence'
import { deadLetters, redrive } from 'thence/admin'
import { memory } from 'thence/memory'
import { sqlite } from 'thence/sqlite'
import { testApp } from 'thence/testing'
import { describe, expect, test } from 'vitest'

const stores: readonly (readonly [string, () => Database])[] = [
  ['memory', memory],
  ['SQLite', () => sqlite({ database: new DatabaseSync(':memory:') })],
]

const Added = event('Added', plain<{ readonly key: string; readonly n: number }>())
const Sums = query('Sums', {
  input: plain<void>(),
  output: plain<Readonly<Record<string, number>>>(),
})

type Sum = { readonly key: string; readonly n: number }

/** Adds up by key; `accept` may throw. */
const sums = (inline: boolean, accept: (sum: Sum) => void = () => undefined) =>
  projection('sums', {
    view: documents<number>(),
    inline,
    batch: 7,
    retry: { attempts: 2 },
    on: (on) =>
      on(Added, async ({ data }, view) => {
        await view.update(data.key, (sum = 0) => sum + data.n)
        accept(data)
      }),
    answers: (on) =>
      on(Sums, async (_, view) => {
        const found: Record<string, number> = {}
        for await (const { key, document } of view.list()) found[key] = document
        return found
      }),
  })

const fold = (history: readonly Sum[]): Record<string, number> => {
  const found: Record<string, number> = {}
  for (const { key, n } of history) found[key] = (found[key] ?? 0) + n
  return found
}

const history: readonly Sum[] = Array.from({ length: 40 }, (_, n) => ({ key: `k${n % 3}`, n }))

const addAll = async (app: Pick<App, 'append'>, some: readonly Sum[]) => {
  for (const one of some) await app.append({ events: Added(one) })
}

describe.each(stores)('on %s', (_, database) => {
  test('a following view equals the fold of all before the message that halts it, and goes on after a redrive', async () => {
    let broken = true
    const at = 23
    const part = sums(false, ({ n }) => {
      if (broken && n === at) throw new Error('broken')
    })
    await using shop = await testApp((app) => app.use(part), { database: database() })
    const { app, runtime } = shop
    await addAll(app, history)
    await shop.settle()
    expect(await app.ask(Sums())).toEqual(fold(history.slice(0, at)))
    broken = false
    const [letter] = await deadLetters(app, { state: 'parked' })
    await redrive({ database: app.database, runtime }, letter?.id ?? '')
    await shop.advance('2s')
    expect(await app.ask(Sums())).toEqual(fold(history))
  })

  test('an inline view that throws refuses its append and no other of the same batch', async () => {
    const part = sums(true, ({ n }) => {
      if (n % 5 === 0) throw reject('FIVE', 'No fives.')
    })
    await using shop = await testApp((app) => app.use(part), { database: database() })
    const outcomes = await Promise.allSettled(
      history.map((one) => shop.app.append({ events: Added(one) })),
    )
    const kept = history.filter((_one, at) => outcomes[at]?.status === 'fulfilled')
    expect(kept).toEqual(history.filter(({ n }) => n % 5 !== 0))
    expect(await shop.app.ask(Sums())).toEqual(fold(kept))
    const recorded: unknown[] = []
    for await (const { data } of shop.app.log()) recorded.push(data)
    expect(recorded).toEqual(kept)
  })

  test.each([
    ['following', false],
    ['inline', true],
  ] as const)('a %s view that was rebuilt equals the fold of everything', async (_kind, inline) => {
    let factor = 2
    const wrong = projection('sums', {
      view: documents<number>(),
      inline,
      batch: 7,
      on: (on) =>
        on(Added, ({ data }, view) => view.update('all', (sum = 0) => sum + factor * data.n)),
      answers: (on) => on(Sums, async (_input, view) => ({ all: (await view.get('all')) ?? 0 })),
    })
    await using shop = await testApp((app) => app.use(wrong), { database: database() })
    await addAll(shop.app, history)
    await shop.settle()
    const all = history.reduce((sum, { n }) => sum + n, 0)
    expect(await shop.app.ask(Sums())).toEqual({ all: 2 * all })
    factor = 1
    const rebuilt = shop.app.rebuild('sums')
    const asked = shop.app.ask(Sums())
    await shop.runtime.until(rebuilt)
    expect([{ all: 2 * all }, { all }]).toContainEqual(await shop.runtime.until(asked))
    expect(await shop.app.ask(Sums())).toEqual({ all })
  })

  test('an answer includes the position that was asked for', async () => {
    await using shop = await testApp((app) => app.use(sums(false)), { database: database() })
    for (let at = 0; at < history.length; at += 1) {
      const { position } = await shop.app.append({ events: Added(history[at] as Sum) })
      const answer = shop.app.ask(Sums(), { after: position })
      expect(await shop.runtime.until(answer)).toEqual(fold(history.slice(0, at + 1)))
    }
  })

  test('snapshots change no result', async () => {
    const Add = command('Add', plain<{ readonly n: number }>())
    const Counted = event('Counted', plain<{ readonly sum: number }>())
    const counter = (every: number | undefined) =>
      aggregate('counter', {
        initial: () => ({ sum: 0 }),
        evolve: (on) => on(Counted, (_state, { data }) => data),
        decide: (on) => on(Add, ({ sum }, { data }) => Counted({ sum: sum + data.n })),
        stream: () => 'one',
        ...(every === undefined ? {} : { snapshot: { every } }),
      })
    const run = async (every: number | undefined) => {
      await using shop = await testApp((app) => app.use(counter(every)), { database: database() })
      for (const { n } of history) await shop.runtime.until(shop.app.send(Add({ n })))
      const found: unknown[] = []
      for await (const { data, version } of shop.app.log()) found.push([version, data])
      return found
    }
    const plainly = await run(undefined)
    expect(plainly).toHaveLength(history.length)
    for (const every of [1, 3, 100]) expect(await run(every)).toEqual(plainly)
  })

  test('a value is refused, or read back identical', async () => {
    const Noted = event('Noted', plain<{ readonly value: unknown }>())
    await using shop = await testApp((app) => app.messages(Noted), { database: database() })
    const anything = fc.anything({ withDate: true, withNullPrototype: true, withBigInt: true })
    await fc.assert(
      fc.asyncProperty(fc.oneof(fc.jsonValue(), anything), async (value) => {
        try {
          const { position } = await shop.app.append({ events: Noted({ value }) })
          const read = shop.app.log({ after: position - 1 })
          for await (const { data } of read)
            deepStrictEqual(JSON.parse(JSON.stringify(data)), JSON.parse(JSON.stringify({ value })))
        } catch (error) {
          if (!isThenceError(error, 'VALUE_NOT_STORABLE')) throw error
        }
      }),
    )
  })
})
