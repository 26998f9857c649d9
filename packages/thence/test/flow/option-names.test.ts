// An option that there is not is refused where it is given, with what is near: left out in silence, it would do nothing.
import { DatabaseSync } from 'node:sqlite'
import type { App } from 'thence'
import {
  aggregate,
  app,
  command,
  documents,
  event,
  handler,
  plain,
  projection,
  query,
  saga,
  schedule,
  step,
  tables,
} from 'thence'
import { memory } from 'thence/memory'
import { sqlite } from 'thence/sqlite'
import { expect, onTestFinished, test } from 'vitest'

const Lend = command('Lend', plain<{ id: string }>())
const Lent = event('Lent', plain<{ id: string }>())
const Loans = query('Loans', { input: plain<string>(), output: plain<number>() })

/** Calls as a program without types would. */
const loosely = (call: (...parameters: never[]) => unknown, ...parameters: unknown[]): unknown =>
  Reflect.apply(call, undefined, parameters)

type On = (definition: unknown, apply: unknown) => unknown
const ear = (options: object): unknown =>
  loosely(handler, 'ear', Lent, { run: () => undefined, ...options })
const one = step('one', { do: Lend, done: Lent })
const whole = { database: memory(), logger: false }

/** What is made, the misspelt option, and what it is told. */
const definitions: readonly (readonly [string, () => unknown, string])[] = [
  [
    'app',
    () => loosely(app, { ...whole, migrat: 'manual' }),
    'app has no option "migrat". Did you mean migrate?',
  ],
  [
    'appends',
    () => loosely(app, { ...whole, appends: { maxInflight: 9 } }),
    'appends of the app has no option "maxInflight". Did you mean maxInFlight?',
  ],
  ['handler', () => ear({ retrys: {} }), 'handler ear has no option "retrys". Did you mean retry?'],
  [
    'retry',
    () => ear({ retry: { atempts: 3 } }),
    'has no option "atempts". Did you mean attempts?',
  ],
  ['budget', () => ear({ retry: { budget: { shares: 1 } } }), 'Did you mean share?'],
  ['breaker', () => ear({ breaker: { windows: '1s' } }), 'Did you mean window?'],
  ['rate', () => ear({ rate: { limit: 1, per: '1s', pro: '1s' } }), 'has no option "pro"'],
  [
    'projection',
    () =>
      loosely(projection, 'p', {
        view: documents<number>(),
        on: (on: On) => on(Lent, () => undefined),
        answer: () => undefined,
      }),
    'projection p has no option "answer". Did you mean answers?',
  ],
  [
    'saga',
    () => loosely(saga, 's', { startedBy: Lent, key: () => 'k', steps: [one], onTimers: () => 0 }),
    'Did you mean onTimer?',
  ],
  [
    'step',
    () => loosely(step, 's', { do: Lend, done: Lent, timout: '1s' }),
    'Did you mean timeout?',
  ],
  [
    'the retry of a step',
    () => loosely(step, 's', { do: Lend, done: Lent, retry: { bugAttempts: 1 } }),
    'It takes attempts, base, cap.',
  ],
  [
    'aggregate',
    () =>
      loosely(aggregate, 'a', {
        initial: () => 0,
        evolve: (on: On) => on(Lent, () => 0),
        decide: (on: On) => on(Lend, () => []),
        stream: () => '1',
        snapshots: { every: 5 },
      }),
    'aggregate a has no option "snapshots". Did you mean snapshot?',
  ],
  [
    'schedule',
    () => loosely(schedule, 's', { cron: '@daily', send: () => Lend({ id: '1' }), catchup: 'all' }),
    'Did you mean catchUp?',
  ],
  ['event', () => loosely(event, 'E', plain(), { tag: () => [] }), 'Did you mean tags?'],
  ['command', () => loosely(command, 'C', plain(), { tag: () => [] }), 'Did you mean tags?'],
  [
    'query',
    () => loosely(query, 'Q', { input: plain(), output: plain(), outputs: plain() }),
    'Did you mean output?',
  ],
  [
    'tables',
    () => loosely(tables, { create: ['CREATE …'], clear: ['DELETE …'], clean: [] }),
    'Did you mean clear?',
  ],
  [
    'sqlite',
    () => loosely(sqlite, { database: new DatabaseSync(':memory:'), busyTimout: 1 }),
    'Did you mean busyTimeout?',
  ],
  ['memory', () => loosely(memory, { stores: 1 }), 'Did you mean store?'],
]

test.each(definitions)('a misspelt option of %s is refused', (_, make, words) => {
  expect(make).toThrow(
    expect.objectContaining({ code: 'CONFIG_INVALID', message: expect.stringContaining(words) }),
  )
})

test.each([
  [{ logs: [] }, 'Did you mean log'],
  [{ log: [{ category: 'loan', olderThan: '1d', removes: 'streams' }] }, 'Did you mean remove?'],
])('a misspelt option of retention is refused: %j', async (retention, words) => {
  const builder = loosely(app, { ...whole, database: memory(), retention })
  const start = Promise.resolve().then(() =>
    Reflect.apply(Reflect.get(Object(builder), 'start'), builder, []),
  )
  await expect(start).rejects.toMatchObject({
    code: 'CONFIG_INVALID',
    message: expect.stringContaining(words),
  })
})

/** What an app is asked, with an option that there is not. */
const calls: Readonly<Record<string, readonly unknown[]>> = {
  append: [{ events: Lent({ id: '1' }), expectd: 0 }],
  send: [Lend({ id: '1' }), { in: '1h', att: 1 }],
  ask: [Loans('1'), { aftr: 'token' }],
  until: ['token', { handler: 'ear', timout: '1s' }],
  transaction: [() => undefined, { onces: { consumer: 'c', id: '1' } }],
  stream: ['loan-1', { form: 1 }],
  log: [{ afters: 1 }],
  whenIdle: [{ signals: undefined }],
  rebuild: ['loans', { swich: 'manual' }],
  replay: ['ear', { dryRum: true }],
  pause: ['ear', { reasons: 'x' }],
  stop: [{ deadlines: '1s' }],
}

const loans = projection('loans', {
  view: documents<number>(),
  on: (on) => on(Lent, () => undefined),
  answers: (on) => on(Loans, () => 1),
})

const running = async (): Promise<App> => {
  const started = await app({ database: memory(), logger: false })
    .use(loans)
    .handle('ear', Lent, () => undefined)
    .handle('clerk', Lend, () => undefined)
    .start()
  onTestFinished(() => started.stop())
  return started
}

test.each(Object.entries(calls))('a misspelt option of app.%s is refused', async (name, given) => {
  const target = await running()
  const call = async (): Promise<unknown> =>
    Reflect.apply(Reflect.get(target, name), target, [...given])
  await expect(call()).rejects.toMatchObject({ code: 'CONFIG_INVALID' })
  const head = await target.database.read(({ events }) => events.head())
  expect(head).toBe(0)
})

test('a misspelt option of a message is refused where it is written', () => {
  expect(() => loosely(Lent, { id: '1' }, { ids: 'mine' })).toThrow(
    expect.objectContaining({ message: expect.stringContaining('Did you mean id?') }),
  )
})

test('an option that is given as undefined is no other option', () => {
  expect(() => ear({ retrys: undefined })).toThrow('has no option "retrys"')
  expect(ear({ retry: undefined, key: undefined })).toMatchObject({ name: 'ear' })
})
