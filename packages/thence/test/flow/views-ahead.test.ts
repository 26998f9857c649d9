// A view reads what a page of messages is likely to ask for in one call, and writes what has changed in one.
import type { Database, Recorded } from 'thence'
import { documents, event, plain, projection, query } from 'thence'
import { memory } from 'thence/memory'
import { testApp } from 'thence/testing'
import { expect, it } from 'vitest'
import { wrap } from '../kit/places.ts'

const Paid = event('Paid', plain<null>())
const Count = query('Count', { input: plain<string>(), output: plain<number>() })

/** Counts what is asked of the documents in write transactions. */
const counting = () => {
  const calls = new Map<string, number>()
  const noted = <T extends object>(target: T): T =>
    new Proxy(target, {
      get:
        (_, name) =>
        (...parameters: unknown[]): unknown => {
          // Others of the store's collections hold settings.
          if (parameters[0] === 'counts')
            calls.set(String(name), (calls.get(String(name)) ?? 0) + 1)
          return Reflect.apply(Reflect.get(target, name) as () => unknown, target, parameters)
        },
    })
  const inner = memory()
  const transact: Database['transact'] = (work, options) =>
    inner.transact((transaction) => {
      const own = noted(transaction.documents)
      return work(
        new Proxy(transaction, {
          get: (_, name): unknown => {
            if (name === 'documents') return own
            const member: unknown = Reflect.get(transaction, name)
            return typeof member === 'function' ? (member.bind(transaction) as unknown) : member
          },
        }),
      )
    }, options)
  return { database: wrap(inner, { transact }), calls: (name: string) => calls.get(name) ?? 0 }
}

interface Keyed {
  readonly key?: (event: Recorded) => string
  /** Of the document that an event changes. */
  readonly document: (event: Recorded) => string
}

const counts = ({ document, ...key }: Keyed) =>
  projection('counts', {
    view: documents<{ count: number }>(),
    ...key,
    on: (on) =>
      on(Paid, (paid, view) =>
        view.update(document(paid), (before) => ({ count: (before?.count ?? 0) + 1 })),
      ),
    answers: (on) => on(Count, async (key, view) => (await view.get(key))?.count ?? 0),
  })

const byStream: Keyed = { document: ({ stream }) => stream }
const ofStream = ({ stream }: Recorded): string => `payer of ${stream}`

it.each([
  ['the stream', 's7', byStream],
  ['the key of the projection', 'payer of s7', { key: ofStream, document: ofStream }],
])('documents named like %s are read and written in one call each', async (_, key, keyed) => {
  const { database, calls } = counting()
  await using test = await testApp((app) => app.use(counts(keyed)), { database })
  for (let round = 0; round < 3; round += 1) {
    for (let n = 0; n < 20; n += 1)
      void test.app.append({ stream: `s${n}`, events: [Paid(null), Paid(null)] })
    await test.settle()
  }
  expect(await test.app.ask(Count(key))).toBe(6)
  expect([calls('getAll'), calls('putAll'), calls('get'), calls('put')]).toEqual([3, 3, 0, 0])
})

it('what is read ahead in vain is soon read no more, and the view is right all the same', async () => {
  const { database, calls } = counting()
  const keyed = { document: ({ version }: Recorded) => `version ${version}` }
  await using test = await testApp((app) => app.use(counts(keyed)), { database })
  for (let round = 0; round < 10; round += 1) {
    await test.app.append({ stream: `s${round}`, events: [Paid(null), Paid(null)] })
    await test.settle()
  }
  expect(await test.app.ask(Count('version 2'))).toBe(10)
  expect(calls('getAll')).toBe(3)
})
