// Parts that cannot be meant as they are written are refused where that is; what only shows when they run is told as such.
import {
  aggregate,
  bus,
  command,
  documents,
  event,
  handler,
  plain,
  projection,
  query,
  saga,
  step,
} from 'thence'
import { testApp, virtualRuntime } from 'thence/testing'
import { expect, test } from 'vitest'

const Rung = event('Rung', plain<{ n: number }>())
const Ring = command('Ring', plain<{ n: number }>())
const Count = query('Count', { input: plain<string>(), output: plain<number>() })

/** Calls as a program without types would. */
const loosely = (call: (...parameters: never[]) => unknown, ...parameters: unknown[]): unknown =>
  Reflect.apply(call, undefined, parameters)

type On = (definition: unknown, run: unknown) => unknown
const nothing = (): undefined => undefined
const upcast = (...given: unknown[]): unknown =>
  Reflect.apply(Reflect.get(Rung, 'upcast') as () => unknown, Rung, given)

const bell = (options: object): unknown =>
  loosely(aggregate, 'bell', {
    initial: () => 0,
    evolve: (on: On) => on(Rung, () => 0),
    decide: (on: On) => on(Ring, () => Rung({ n: 1 })),
    stream: () => 'one',
    ...options,
  })

const view = (options: object): unknown =>
  loosely(projection, 'view', {
    view: documents<number>(),
    on: (on: On) => on(Rung, nothing),
    ...options,
  })

const parts: readonly (readonly [string, () => unknown, string])[] = [
  [
    'tags that are no function',
    () => loosely(event, 'E', plain(), { tags: 'a' }),
    'tags of event E',
  ],
  ['a query without an output', () => loosely(query, 'Q', { input: plain() }), 'output of query Q'],
  ['an upcast without a schema', () => upcast(), 'upcast of Rung needs a schema'],
  ['an upcast to nothing', () => upcast(plain()), 'What upcast of Rung does'],
  ['a handler of a query', () => loosely(handler, 'h', Count, nothing), 'this is the query Count'],
  [
    'a decision on an event',
    () => bell({ decide: (on: On) => on(Rung, nothing) }),
    'the event Rung',
  ],
  [
    'a state of a command',
    () => bell({ evolve: (on: On) => on(Ring, nothing) }),
    'the command Ring',
  ],
  ['an answer to an event', () => view({ answers: (on: On) => on(Rung, nothing) }), '(query)'],
  ['a view of a query', () => view({ on: (on: On) => on(Count, nothing) }), '(event or command)'],
  [
    'a saga that a command starts',
    () =>
      loosely(saga, 's', { startedBy: Ring, key: () => 'k', on: (on: On) => on(Rung, nothing) }),
    'startedBy of saga s takes a definition of a message (event)',
  ],
  [
    'a step that was not made',
    () => loosely(saga, 's', { startedBy: Rung, key: () => 'k', steps: [{ name: 'one' }] }),
    "make it by step('name', { do, done })",
  ],
  ['a step that ends by a command', () => loosely(step, 's', { do: Ring, done: Ring }), '(event)'],
  [
    'half an attempt',
    () => loosely(handler, 'h', Rung, { run: nothing, retry: { attempts: 1.5 } }),
    'retry.attempts of handler h is 1.5; give a whole number',
  ],
  ['a misspelt option of a bus', () => loosely(bus, { onErorr: nothing }), 'Did you mean onError?'],
  [
    'a misspelt option of a listener',
    () => bus().on(Rung, nothing, { nam: 'ear' } as never),
    'on() of a bus has no option "nam". Did you mean name?',
  ],
  ['a misspelt seed', () => loosely(virtualRuntime, { sed: 1 }), 'Did you mean seed?'],
  ['no seed', () => loosely(virtualRuntime, { seed: 'x' }), 'seed of virtualRuntime is "x"'],
]

test.each(parts)('%s is refused', (_, make, words) => {
  expect(make).toThrow(
    expect.objectContaining({ code: 'CONFIG_INVALID', message: expect.stringContaining(words) }),
  )
})

test('tags that are given as a text are no tags', async () => {
  const Loud = event('Loud', plain<{ n: number }>(), { tags: () => 'loud' as never })
  await using tower = await testApp((app) => app.messages(Loud))
  await expect(tower.app.append({ events: Loud({ n: 1 }) })).rejects.toMatchObject({
    code: 'CONFIG_INVALID',
    message: expect.stringContaining('tags of Loud must be a list'),
  })
})

test.each([5, undefined, null, Promise.resolve('a')])(
  'a key that is %s parks the message, and says so',
  async (key) => {
    const ear = handler('ear', Rung, { key: () => key as never, run: nothing })
    await using tower = await testApp((app) => app.use(ear))
    await tower.app.append({ events: Rung({ n: 1 }) })
    await tower.settle()
    const letters = await tower.app.database.read(({ deadLetters }) =>
      deadLetters.list({ limit: 9 }),
    )
    expect(letters).toMatchObject([
      { errorCode: 'NAME_INVALID', errorMessage: expect.stringContaining('it must give a text') },
    ])
  },
)

test('a state that is a promise is refused, and nothing is decided on it', async () => {
  const slow = aggregate('slow', {
    initial: () => Promise.resolve(0) as never,
    evolve: (on) => on(Rung, (sum) => sum),
    decide: (on) => on(Ring, () => Rung({ n: 1 })),
    stream: () => 'one',
  })
  await using tower = await testApp((app) => app.use(slow))
  await expect(tower.app.send(Ring({ n: 1 }))).rejects.toMatchObject({
    code: 'CONFIG_INVALID',
    message: expect.stringContaining('initial or evolve of aggregate slow gave a promise'),
  })
  expect(await tower.app.database.read(({ events }) => events.head())).toBe(0)
})
