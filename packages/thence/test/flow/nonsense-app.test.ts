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

test.each<readonly [string, string, keyof Tower, ...unknown[]]>([
  [
    'a tag that is no list',
    'tags of Ring must be a list; this is "loud"',
    'send',
    { ...Ring({ n: 1 }), tags: 'loud' },
  ],
  ['an event that is sent', 'this is an event', 'send', Rung({ n: 1 })],
  [
    'types that are no list',
    'types of condition.query must be a list; this is "Rung"',
    'append',
    append({ query: [types], after: 0 }),
  ],
  [
    'a misspelt query',
    'Did you mean types',
    'append',
    append({ query: [{ typs: ['Rung'] }], after: 0 }),
  ],
  [
    'a query of names',
    'must be an object; this is "Rung"',
    'append',
    append({ query: ['Rung'], after: 0 }),
  ],
  ['a query for the log', 'Did you mean types', 'log', { query: [{ typs: ['Nope'] }] }],
  ['no place in the log', 'after of log is NaN; give a whole number', 'log', { after: Number.NaN }],
  ['a text for a place', 'after of log is "3"', 'log', { after: '3' }],
  ['a limit of the log', 'limit of log is -1', 'log', { limit: -1 }],
  [
    'no version',
    'from of stream must be a whole number of at least 1; this is 0',
    'stream',
    'bell-1',
    { from: 0 },
  ],
  ['a limit of a stream', 'limit of stream is NaN', 'stream', 'bell-1', { limit: Number.NaN }],
  [
    'no query',
    'ask takes query messages, written by their definition; this is undefined',
    'ask',
    undefined,
  ],
  [
    'a switch',
    'switch of the rebuild of counts is "later"; it is one of auto, manual',
    'rebuild',
    'counts',
    { switch: 'later' },
  ],
  ['no policy', 'policy of ear is undefined; it is one of park-key', 'setPolicy', 'ear', undefined],
  [
    'once with more',
    'once has no option "key". It takes consumer, id.',
    'transaction',
    () => 1,
    { once: { consumer: 'c', id: '1', key: 'k' } },
  ],
])('%s is refused', async (_, words, name, ...given) => {
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
