/** Tests of what a process remembers of an instance while another one goes on with it. */
import { expect, test } from 'vitest'
import { memory } from '../adapters/memory/index.ts'
import { isThenceError } from '../errors.ts'
import { Codec } from '../message/codec.ts'
import { command, event } from '../message/define.ts'
import type { Recorded } from '../message/message.ts'
import { Registry } from '../message/registry.ts'
import { plain } from '../message/schema.ts'
import { Signals } from '../observe/signals.ts'
import { Store } from '../store/store.ts'
import { Tokens } from '../store/token.ts'
import { virtualRuntime } from '../testing/virtual-runtime.ts'
import { sagaSubscription } from './run.ts'
import { saga } from './saga.ts'
import { step } from './step.ts'

const data = plain<{ id: string }>()
const [Charge, Ship] = [command('Charge', data), command('Ship', data)]
const Placed = event('Placed', data)
const Charged = event('Charged', data)
const Shipped = event('Shipped', data)

const order = saga('order', {
  startedBy: Placed,
  key: ({ data: { id } }) => id,
  steps: [step('charge', { do: Charge, done: Charged }), step('ship', { do: Ship, done: Shipped })],
})

const open = async () => {
  const runtime = virtualRuntime()
  const registry = new Registry()
  for (const one of [Charge, Ship, Placed, Charged, Shipped, ...Object.values(order.facts)])
    registry.add(one)
  registry.take('Charge')
  registry.take('Ship')
  const database = memory()
  await database.open(runtime)
  const tools = { registry, codec: new Codec(registry, true), runtime, tokens: new Tokens('here') }
  const store = new Store(database, tools)
  const told = { signals: new Signals(runtime), onTimer: () => undefined }
  const happen = async (
    definition: typeof Placed | typeof Charged | typeof Shipped,
  ): Promise<Recorded> => {
    const { events } = await store.append({ stream: 'world', messages: [definition({ id: '1' })] })
    return events[0]!
  }
  /** A process that has the saga; it remembers what it has committed. */
  const begin = () => {
    const { sink } = sagaSubscription(order, tools, told)
    return async (message: Recorded): Promise<void> => {
      const run = await store.transact(async (writer) => {
        const own = sink.open(writer)
        await own.apply(message, undefined)
        await own.flush?.()
        return own
      })
      run.committed?.()
    }
  }
  const stream = async (): Promise<readonly string[]> => {
    const read = { limit: 100 }
    const stored = await store.read(({ events }) => events.readStream('order-1', read))
    return stored.map(({ type }) => type)
  }
  return { happen, begin, stream }
}

test('what another process has added is met by the append, and read before the next attempt', async () => {
  const { happen, begin, stream } = await open()
  const [first, second] = [begin(), begin()]
  await first(await happen(Placed))
  await second(await happen(Charged))
  const before = await stream()
  // What it remembers still waits for this.
  const again = await happen(Charged)
  await expect(first(again)).rejects.toSatisfy((error) => isThenceError(error, 'VERSION_CONFLICT'))
  expect(await stream()).toEqual(before)
  await first(again)
  expect(await stream()).toEqual(before)
  await first(await happen(Shipped))
  expect((await stream()).at(-1)).toBe('order.finished')
})

test('where nothing comes of what is remembered, what another process has added is read first', async () => {
  const { happen, begin, stream } = await open()
  const [first, second] = [begin(), begin()]
  await first(await happen(Placed))
  await second(await happen(Charged))
  await first(await happen(Shipped))
  expect((await stream()).at(-1)).toBe('order.finished')
})
