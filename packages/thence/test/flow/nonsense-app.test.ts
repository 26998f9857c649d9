// What a program without types asks of a running app and cannot mean: refused with what was given, nothing recorded.
import { command, documents, event, handler, plain, projection, query } from 'thence'
import { testApp } from 'thence/testing'
import { expect, onTestFinished, test } from 'vitest'

const Rung = event('Rung', plain<{ n: number }>())
const Ring = command('Ring', plain<{ n: number }>())
const Count = query('Count', { input: plain<string>(), output: plain<number>() })

const counts = projection('counts', {
  view: documents<number>(),
  on: (on) => on(Rung, () => undefined),
  answers: (on) => on(Count, () => 1),
})
const ear = handler('ear', Rung, { replay: 'idempotent', run: () => undefined })
const hand = handler('hand', Ring, () => undefined)

const start = async () => {
  const tower = await testApp((app) => app.use(counts, ear, hand))
  onTestFinished(() => tower.stop())
  await tower.app.append({ stream: 'bell-1', events: Rung({ n: 1 }) })
  await tower.settle()
  return tower.app
}

type Tower = Awaited<ReturnType<typeof start>>

/** Calls a method as a program without types would; what it gives is read to its end. */
const loosely = async (app: Tower, name: keyof Tower, ...given: unknown[]): Promise<unknown> => {
  const found: unknown = Reflect.apply(Reflect.get(app, name) as () => unknown, app, given)
  const isRead = name === 'stream' || name === 'log'
  if (isRead) for await (const one of found as AsyncIterable<unknown>) if (one === null) return one
  return found
}

const types = { types: 'Rung' }
const append = (condition: unknown) => ({ events: Rung({ n: 2 }), condition })

interface Asked {
  readonly call: readonly [keyof Tower, ...unknown[]]
  readonly words: string
}

const asked: readonly (readonly [string, Asked])[] = [
  [
    'a tag that is no list',
    {
      call: ['send', { ...Ring({ n: 1 }), tags: 'loud' }],
      words: 'tags of Ring must be a list; this is "loud"',
    },
  ],
  ['an event that is sent', { call: ['send', Rung({ n: 1 })], words: 'this is an event' }],
  [
    'types that are no list',
    {
      call: ['append', append({ query: [types], after: 0 })],
      words: 'types of condition.query must be a list; this is "Rung"',
    },
  ],
  [
    'a misspelt query',
    {
      call: ['append', append({ query: [{ typs: ['Rung'] }], after: 0 })],
      words: 'Did you mean types',
    },
  ],
  [
    'a query of names',
    {
      call: ['append', append({ query: ['Rung'], after: 0 })],
      words: 'must be an object; this is "Rung"',
    },
  ],
  [
    'a query for the log',
    { call: ['log', { query: [{ typs: ['Nope'] }] }], words: 'Did you mean types' },
  ],
  [
    'no place in the log',
    { call: ['log', { after: Number.NaN }], words: 'after of log is NaN; give a whole number' },
  ],
  ['a text for a place', { call: ['log', { after: '3' }], words: 'after of log is "3"' }],
  ['a limit of the log', { call: ['log', { limit: -1 }], words: 'limit of log is -1' }],
  [
    'no version',
    {
      call: ['stream', 'bell-1', { from: 0 }],
      words: 'from of stream must be a whole number of at least 1; this is 0',
    },
  ],
  [
    'a limit of a stream',
    { call: ['stream', 'bell-1', { limit: Number.NaN }], words: 'limit of stream is NaN' },
  ],
  [
    'no query',
    {
      call: ['ask', undefined],
      words: 'ask takes query messages, written by their definition; this is undefined',
    },
  ],
  [
    'a switch',
    {
      call: ['rebuild', 'counts', { switch: 'later' }],
      words: 'switch of the rebuild of counts is "later"; it is one of auto, manual',
    },
  ],
  [
    'no policy',
    {
      call: ['setPolicy', 'ear', undefined],
      words: 'policy of ear is undefined; it is one of park-key',
    },
  ],
  [
    'once with more',
    {
      call: ['transaction', () => 1, { once: { consumer: 'c', id: '1', key: 'k' } }],
      words: 'once has no option "key". It takes consumer, id.',
    },
  ],
]

test.each(asked)('%s is refused', async (_, { call: [name, ...given], words }) => {
  const app = await start()
  await expect(loosely(app, name, ...given)).rejects.toMatchObject({
    code: 'CONFIG_INVALID',
    message: expect.stringContaining(words),
  })
  expect(await app.database.read(({ events }) => events.head())).toBe(1)
})

test('a stream without a name is refused on every adapter', async () => {
  const app = await start()
  await expect(loosely(app, 'stream', undefined)).rejects.toMatchObject({ code: 'NAME_INVALID' })
})

test('a replay of a stream that there never was is refused', async () => {
  const app = await start()
  await expect(app.replay('ear', { stream: 'bell-2', dryRun: true })).rejects.toMatchObject({
    code: 'NOT_FOUND',
    message: expect.stringContaining('There is no stream "bell-2"'),
  })
  expect(await app.replay('ear', { stream: 'bell-1', dryRun: true })).toMatchObject({ total: 1 })
})

test('metadata that there is not is refused where it is written', () => {
  expect(() =>
    Reflect.apply(Ring, undefined, [{ n: 1 }, { metadata: { corelationId: 'a' } }]),
  ).toThrow('metadata of Ring has no option "corelationId". Did you mean correlationId')
  expect(() => Reflect.apply(Ring, undefined, [{ n: 1 }, { metadata: 5 }])).toThrow(
    'The options of metadata of Ring must be an object; this is 5.',
  )
})

test('a list of what waits is asked for by its options only', async () => {
  const { schedules } = await start()
  const list = async (options: object): Promise<unknown> => schedules.list(options)
  await expect(list({ al: true })).rejects.toMatchObject({ code: 'CONFIG_INVALID' })
  await expect(list({ limit: 0 })).rejects.toMatchObject({ code: 'CONFIG_INVALID' })
})
