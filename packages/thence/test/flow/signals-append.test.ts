// What is told of appends, commands and snapshots, and what is counted of them.
import { aggregate, command, event, plain, reject } from 'thence'
import type { Signal, SignalName } from 'thence'
import { memory } from 'thence/memory'
import { testApp, virtualRuntime } from 'thence/testing'
import { expect, test } from 'vitest'
import { wrap } from '../kit/places.ts'

const Add = command('Add', plain<{ n: number }>())
const Added = event('Added', plain<{ n: number }>())
const Noted = event('Noted', plain<{ text: string }>())

const account = aggregate('account', {
  initial: () => ({ sum: 0 }),
  evolve: (on) => on(Added, ({ sum }, { data }) => ({ sum: sum + data.n })),
  decide: (on) =>
    on(Add, ({ sum }, { data: { n } }) => {
      if (sum + n > 100) throw reject('full', 'It is full.')
      return Added({ n })
    }),
  stream: () => '1',
  snapshot: { every: 2 },
})

const names: readonly SignalName[] = [
  'messages-appended',
  'append-repeated',
  'append-refused',
  'command-decided',
  'command-refused',
  'snapshot-taken',
]

/** An app whose commits take 7 ms of virtual time, and what it told. */
const start = async () => {
  const runtime = virtualRuntime()
  const slow = (): Promise<void> => new Promise((resolve) => void runtime.after(7, resolve))
  const inner = memory()
  const database = wrap(inner, {
    append: async (requests) => {
      await slow()
      return inner.append(requests)
    },
  })
  const shop = await testApp((app) => app.use(account).messages(Noted), { runtime, database })
  const heard: Signal[] = []
  shop.app.listen(names, (signal) => void heard.push(signal))
  const soon = <T>(promise: Promise<T>): Promise<T> => runtime.until(promise)
  return { ...shop, heard, soon, runtime }
}

test('appends of one turn are told as one commit, with how many of each type and how long it took', async () => {
  const { app, heard, soon, ...shop } = await start()
  const note = (text: string) => app.append({ stream: 'notes', events: Noted({ text }) })
  const both = app.append({ stream: 'sums', events: [Added({ n: 1 }), Noted({ text: 'x' })] })
  await soon(Promise.all([note('a'), note('b'), both]))
  expect(heard).toEqual([
    {
      name: 'messages-appended',
      from: 1,
      to: 4,
      types: new Map([
        ['Noted', 3],
        ['Added', 1],
      ]),
      appends: 3,
      waited: 0,
      took: 7,
    },
  ])
  const { total, recent } = app.metrics()
  expect(total.appends).toMatchObject({
    messages: 4,
    commits: 1,
    batch: { max: 4 },
    took: { max: 7 },
  })
  expect(total.appended).toEqual([
    { type: 'Added', messages: 1 },
    { type: 'Noted', messages: 3 },
  ])
  expect(recent.appends).toEqual(total.appends)
  await shop.stop()
})

test('an append that comes while another is committed waits for it, and that is told', async () => {
  const { app, heard, soon, runtime, ...shop } = await start()
  const first = app.append({ events: Noted({ text: 'first' }) })
  await runtime.advance(3)
  const second = app.append({ events: Noted({ text: 'second' }) })
  await soon(Promise.all([first, second]))
  expect(heard).toMatchObject([
    { waited: 0, took: 7 },
    { waited: 4, took: 7 },
  ])
  expect(app.metrics().total.appends.waited).toMatchObject({ count: 2, max: 4, sum: 4 })
  await shop.stop()
})

test('what was refused or had been written before is told with its stream, and counted', async () => {
  const { app, heard, soon, ...shop } = await start()
  const once = Noted({ text: 'a' }, { id: 'one' })
  const { position } = await soon(app.append({ stream: 'notes', events: once }))
  heard.length = 0
  await soon(app.append({ stream: 'notes', events: once }))
  const again = app.append({ stream: 'notes', expected: 'none', events: Noted({ text: 'b' }) })
  await expect(soon(again)).rejects.toMatchObject({ code: 'VERSION_CONFLICT' })
  const taken = app.append({ stream: 'others', events: Noted({ text: 'c' }, { id: 'one' }) })
  await expect(soon(taken)).rejects.toMatchObject({ code: 'MESSAGE_ID_REUSED' })
  const condition = { query: [{ types: ['Noted'] }], after: 0 }
  const failed = app.append({ stream: 'others', condition, events: Noted({ text: 'd' }) })
  await expect(soon(failed)).rejects.toMatchObject({ code: 'CONDITION_FAILED' })
  expect(heard).toEqual([
    { name: 'append-repeated', stream: 'notes', position },
    { name: 'append-refused', stream: 'notes', why: 'conflict' },
    { name: 'append-refused', stream: 'others', why: 'id-reused' },
    { name: 'append-refused', stream: 'others', why: 'condition-failed' },
  ])
  expect(app.metrics().total.appends).toMatchObject({
    messages: 1,
    commits: 1,
    repeated: 1,
    conflicts: 1,
    refused: 2,
  })
  await shop.stop()
})

test('a command is told with how often it was decided and how long it took', async () => {
  const { app, heard, soon, ...shop } = await start()
  await soon(app.send(Add({ n: 1 }, { id: 'a' })))
  const both = Promise.all([app.send(Add({ n: 2 })), app.send(Add({ n: 3 }))])
  await soon(both)
  await expect(soon(app.send(Add({ n: 1000 })))).rejects.toMatchObject({ code: 'REJECTED' })
  const commands = heard.filter(({ name }) => name.startsWith('command-'))
  expect(commands).toMatchObject([
    { name: 'command-decided', aggregate: 'account', type: 'Add', id: 'a', tries: 1, events: 1 },
    { tries: 1, took: 7 },
    { tries: 2 },
    { name: 'command-refused', tries: 1, took: 0, error: { code: 'REJECTED' } },
  ])
  expect(app.metrics().total.commands).toMatchObject([
    { aggregate: 'account', type: 'Add', decided: 3, refused: 1, repeated: 1, took: { count: 4 } },
  ])
  expect(app.metrics().total.appends.conflicts).toBe(1)
  await shop.stop()
})

test('a snapshot is told when it is written', async () => {
  const { app, heard, soon, ...shop } = await start()
  for (const n of [1, 2]) await soon(app.send(Add({ n })))
  await shop.settle()
  expect(heard.filter(({ name }) => name === 'snapshot-taken')).toMatchObject([
    { stream: 'account-1', version: 2 },
  ])
  expect(app.metrics().total.snapshots).toMatchObject({ taken: 1, failed: 0 })
  await shop.stop()
})

test('what was long ago is in the total, and no longer recent', async () => {
  const { app, soon, runtime, ...shop } = await start()
  await soon(app.append({ events: Noted({ text: 'a' }) }))
  for (let minute = 0; minute < 3; minute += 1) {
    await runtime.advance('1m')
    app.metrics()
  }
  const { total, recent } = app.metrics()
  expect([total.appends.messages, recent.appends.messages]).toEqual([1, 0])
  expect(total.covers).toBeGreaterThanOrEqual(180_000)
  expect(recent.covers).toBeLessThan(121_000)
  await shop.stop()
})

test('metrics can be written as JSON, and an app without them tells zeros and does the same', async () => {
  const { app, soon, ...shop } = await start()
  await soon(app.append({ events: Noted({ text: 'a' }) }))
  const metrics = app.metrics()
  expect(JSON.parse(JSON.stringify(metrics))).toEqual(metrics)
  await shop.stop()
  const silent = await testApp((builder) => builder.use(account), { metrics: false })
  expect((await silent.app.send(Add({ n: 1 }))).version).toBe(1)
  const { total } = silent.app.metrics()
  expect([total.appends.messages, total.commands]).toEqual([0, []])
  await silent.stop()
})
