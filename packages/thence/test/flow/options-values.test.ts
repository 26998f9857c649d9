// Every option of every part, given as something that it can't be: it is told where it was given, with what to write.
import { DatabaseSync } from 'node:sqlite'
import { inspect } from 'node:util'
import type {
  AggregateOptions,
  AppOptions,
  HandlerOptions,
  ProjectionOptions,
  SagaOptions,
  ScheduleOptions,
  StepOptions,
} from 'thence'
import {
  aggregate,
  app,
  command,
  documents,
  event,
  handler,
  plain,
  projection,
  saga,
  schedule,
  step,
} from 'thence'
import { memory } from 'thence/memory'
import type { SqliteOptions } from 'thence/sqlite'
import { sqlite } from 'thence/sqlite'
import { expect, test } from 'vitest'

const Lend = command('Lend', plain<{ id: string }>())
const Lent = event('Lent', plain<{ id: string }>())

/** What an option of a kind can't be. */
const nothing = undefined
const functions = [null, 1, true, 'nope', {}, []]
const flags = [null, 0, 'yes', {}, []]
const choices = [null, 1, true, 'nope', {}, []]
const texts = [null, 1, true, {}, []]
const times = [null, -1, Number.NaN, true, 'soon', {}, ['5s'], 1n]
const counts = [null, 0, -1, 1.5, Number.NaN, true, '3', {}, []]
const objects = [null, 1, true, 'nope', []]
const lists = [null, 1, true, 'nope', {}]
const definitions = [null, 1, true, 'nope', {}, []]
const connections = [nothing, ...functions]

const cases: (readonly [string, () => unknown])[] = []

/** Of every option what it can't be. A new one doesn't compile until it is here. */
type Table<O> = Readonly<Record<keyof Required<O>, readonly unknown[]>>

const told = (value: unknown): string => inspect(value, { breakLength: Infinity })

const add = <O>(
  what: string,
  table: Table<O>,
  make: (options: Record<string, unknown>) => unknown,
): void => {
  for (const [option, values] of Object.entries<readonly unknown[]>(table))
    for (const value of values)
      cases.push([`${option} ${told(value)} of ${what}`, () => make({ [option]: value })])
}

/** Calls as a program without types would. */
const loosely = (call: (...parameters: never[]) => unknown, ...parameters: unknown[]): unknown =>
  Reflect.apply(call, undefined, parameters)

const rules = [
  { category: 'loan', olderThan: 'long' },
  { category: 'loan', olderThan: '1d', remove: 'all' },
  { category: 'loan', olderThan: '1d', remove: 'streams', tombstone: 'yes' },
  { category: 'loan', olderThan: '1d', archive: 'file' },
  { olderThan: '1d' },
  'loan',
].map((rule) => ({ log: [rule] }))

const ages = ['timers', 'inbox', 'deadLetters', 'jobs', 'audit', 'every'].flatMap((name) =>
  times.map((time) => ({ [name]: time })),
)

add<AppOptions>(
  'app',
  {
    database: [...connections, 'shop.db', new DatabaseSync(':memory:')],
    runtime: objects,
    logger: [...objects, { error: () => undefined }],
    logLevel: choices,
    metrics: flags,
    migrate: choices,
    freeze: flags,
    leaseTime: [...times, '10ms'],
    classify: functions,
    appends: [
      ...objects,
      ...counts.flatMap((count) => [{ maxInFlight: count }, { maxBytes: count }]),
    ],
    retention: [
      ...objects,
      ...rules,
      ...ages,
      ...lists.map((list) => ({ log: list })),
      ...lists.map((list) => ({ ignore: list })),
    ],
  },
  (options) => {
    const builder = loosely(app, { database: memory(), logger: false, ...options })
    return Reflect.apply(Reflect.get(Object(builder), 'start'), builder, [])
  },
)

const retries = [
  ...objects,
  { attempts: 0 },
  { attempts: '3' },
  { bugAttempts: 0 },
  { base: 'soon' },
  { cap: {} },
  { budget: 'much' },
  { budget: { share: 'much' } },
  { budget: { perSecond: 0 } },
]

const policies = { retry: retries, onFailure: choices, key: functions, keyVersion: counts }
const divided = { partitions: counts, keyVersion: counts }

add<HandlerOptions<typeof Lent>>(
  'handler',
  {
    run: [nothing, ...functions],
    ...policies,
    classify: functions,
    breaker: [
      null,
      1,
      false,
      'nope',
      [],
      { failures: 0 },
      { failures: '0.5' },
      { minimum: 0 },
      { window: 'long' },
      { pause: 0 },
    ],
    rate: [...objects, {}, { limit: 0, per: '1s' }, { limit: 1, per: 'day' }],
    replay: choices,
    from: choices,
    concurrency: counts,
    partitions: [...counts, 257],
    maxInFlight: counts,
    maxBytes: counts,
    timeout: times,
  },
  (options) => loosely(handler, 'h', Lent, { run: () => undefined, ...options }),
)

add<ProjectionOptions<unknown, never>>(
  'projection',
  {
    view: [nothing, ...functions],
    on: [nothing, ...functions],
    answers: functions,
    inline: flags,
    batch: counts,
    ...policies,
  },
  (options) =>
    loosely(projection, 'p', {
      view: documents<number>(),
      on: (on: (definition: unknown, apply: unknown) => unknown) => on(Lent, () => undefined),
      ...options,
    }),
)

const one = step('one', { do: Lend, done: Lent })

add<SagaOptions<'Lent', { id: string }, undefined, readonly []>>(
  'saga',
  {
    startedBy: [nothing, ...definitions],
    key: [nothing, ...functions],
    steps: [...lists, [undefined], ['one'], []],
    state: functions,
    on: functions,
    onTimer: functions,
    ...divided,
    onFailure: choices,
  },
  (options) => loosely(saga, 's', { startedBy: Lent, key: () => 'key', steps: [one], ...options }),
)

add<StepOptions<never, typeof Lent, typeof Lent, typeof Lent>>(
  'step',
  {
    do: [nothing, ...functions],
    done: [nothing, ...definitions],
    failed: definitions.slice(0, -1),
    undo: functions,
    undone: definitions,
    timeout: times,
    retry: retries.slice(0, -3),
    pivot: flags,
  },
  (options) => loosely(step, 's', { do: Lend, done: Lent, undo: Lend, ...options }),
)

add<AggregateOptions<unknown, string, never>>(
  'aggregate',
  {
    initial: [nothing, ...functions],
    evolve: [nothing, ...functions],
    decide: [nothing, ...functions],
    stream: [nothing, ...functions],
    snapshot: [...objects, {}, { every: 0 }, { every: '5' }, { every: 5, tag: 1 }],
    ...divided,
  },
  (options) =>
    loosely(aggregate, 'a', {
      initial: () => 0,
      evolve: (on: (definition: unknown, apply: unknown) => unknown) => on(Lent, () => 0),
      decide: (on: (definition: unknown, apply: unknown) => unknown) => on(Lend, () => []),
      stream: () => '1',
      ...options,
    }),
)

add<ScheduleOptions>(
  'schedule',
  {
    cron: [nothing, ...texts, '', 'every day'],
    zone: [...texts, '', 'Europe/Berln'],
    catchUp: choices,
    send: [nothing, ...functions],
  },
  (options) =>
    loosely(schedule, 's', { cron: '0 2 * * *', send: () => Lend({ id: '1' }), ...options }),
)

add<SqliteOptions>(
  'sqlite',
  {
    database: connections,
    transactionTimeout: [null, -1, Number.NaN, '3', {}],
    busyTimeout: [null, -1, Number.NaN, 'x', {}],
    synchronous: choices,
  },
  (options) => loosely(sqlite, { database: new DatabaseSync(':memory:'), ...options }),
)

for (const [what, make] of [
  ['app', app],
  ['sqlite', sqlite],
] as const)
  for (const value of [undefined, null, 1])
    cases.push([`${told(value)} for ${what}`, () => loosely(make, value)])

for (const [what, make] of [
  ['handler', (value: unknown) => loosely(handler, 'h', Lent, value)],
  ['projection', (value: unknown) => loosely(projection, 'p', value)],
  ['saga', (value: unknown) => loosely(saga, 's', value)],
  ['step', (value: unknown) => loosely(step, 's', value)],
  ['aggregate', (value: unknown) => loosely(aggregate, 'a', value)],
  ['schedule', (value: unknown) => loosely(schedule, 's', value)],
] as const)
  for (const value of [undefined, null, 1, 'nope', []])
    cases.push([`${told(value)} for the options of ${what}`, () => make(value)])

test.each(cases)('%s is refused', async (_, make) => {
  await expect(Promise.resolve().then(make)).rejects.toMatchObject({ code: 'CONFIG_INVALID' })
})
