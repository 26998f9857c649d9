/** Mistakes of callers without types: each is told where it was made, with what to do, and nothing is recorded. */
import { expect, test } from 'vitest'
import {
  aggregate,
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
import { sqlite } from 'thence/sqlite'
import { testApp } from 'thence/testing'

const Lend = command('Lend', plain<{ id: string }>())
const Lent = event('Lent', plain<{ id: string }>())
const PrintSlip = command('PrintSlip', plain<{ id: string }>())

const decided = (decide: () => unknown) =>
  aggregate('loan', {
    initial: () => ({ lent: false }),
    evolve: (on) => on(Lent, () => ({ lent: true })),
    decide: (on) => on(Lend, decide as never),
    stream: ({ data }) => data.id,
  })

const everything = async <T>(items: AsyncIterable<T>): Promise<T[]> => {
  const all: T[] = []
  for await (const item of items) all.push(item)
  return all
}

const loan = decided(() => Lent({ id: '1' }))

test.each([
  ['no schema', () => event('X', undefined as never)],
  ['a handler without run', () => handler('h', Lent, { rn: () => undefined } as never)],
  ['a handler of nothing', () => handler('h', undefined as never, () => undefined)],
  ['a saga without a key', () => saga('s', { startedBy: Lent, steps: [] } as never)],
  ['a step without do', () => step('one', { done: Lent } as never)],
  ['a step without done', () => step('one', { do: Lend } as never)],
  ['a path instead of a connection', () => sqlite({ database: 'x.db' as never })],
  ['an aggregate without stream', () => aggregate('a', { initial: () => 0 } as never)],
])('%s is told when it is written', (_, write) => {
  expect(write).toThrow(expect.objectContaining({ code: 'CONFIG_INVALID' }))
})

test.each([
  ['an async decision', async () => Lent({ id: '1' }), /must not be async/],
  ['a decision that gives nothing', () => undefined, /loan on Lend takes event messages/],
  ['a definition instead of a message', () => Lent, /the function Lent/],
])('%s names the aggregate and the command', async (_, decide, words) => {
  await using shop = await testApp((builder) => builder.use(decided(decide)))
  await expect(shop.app.send(Lend({ id: '1' }))).rejects.toThrow(words)
})

test('an event is not sent and a command is not appended', async () => {
  await using shop = await testApp((builder) => builder.use(loan))
  await expect(shop.app.send(Lent({ id: '1' }) as never)).rejects.toThrow(/send takes command/)
  await expect(shop.app.append({ events: Lend({ id: '1' }) as never })).rejects.toThrow(/event/)
  expect(await everything(shop.app.log())).toEqual([])
})

test('a command that nothing takes is not recorded to be forgotten: its handler fails', async () => {
  await using shop = await testApp((builder) =>
    builder
      .use(loan)
      .messages(PrintSlip)
      .handle('desk', Lent, ({ data }, { send }) => send(PrintSlip(data))),
  )
  await shop.app.send(Lend({ id: '1' }))
  await shop.app.whenIdle()
  const letters = await shop.app.database.read(({ deadLetters }) => deadLetters.list({ limit: 9 }))
  expect(letters.map(({ errorMessage }) => errorMessage)).toEqual([
    expect.stringContaining('Nothing in this app takes PrintSlip'),
  ])
  expect(await everything(shop.app.log())).toHaveLength(1)
})

test('a view that is written after its event was done says so instead of losing it', async () => {
  const Slips = query('Slips', { input: plain<string>(), output: plain<number>() })
  const late = Promise.withResolvers<unknown>()
  const slips = projection('slips', {
    view: documents<number>(),
    on: (on) =>
      on(Lent, ({ data }, view) => {
        // Not awaited, and later than the transaction.
        setImmediate(() => void view.put(data.id, 1).then(late.resolve, late.resolve))
      }),
    answers: (on) => on(Slips, async (id, view) => (await view.get(id)) ?? 0),
  })
  await using shop = await testApp((builder) => builder.use(loan, slips))
  await shop.app.send(Lend({ id: '1' }))
  expect(await late.promise).toMatchObject({ code: 'STATE_INVALID' })
  expect(await shop.app.ask(Slips('1'))).toBe(0)
})
