// What is told of the instances of a saga, and of how long they lived.
import { command, event, plain, saga, step } from 'thence'
import type { Signal } from 'thence'
import { testApp, virtualRuntime } from 'thence/testing'
import { expect, test } from 'vitest'

type Order = { readonly id: string }
const shape = plain<Order>()
const Placed = event('Placed', shape)
const Charge = command('Charge', shape)
const Charged = event('Charged', shape)
const Refund = command('Refund', shape)
const Ship = command('Ship', shape)
const Shipped = event('Shipped', shape)
const Lost = event('Lost', shape)

const fulfil = saga('fulfil', {
  startedBy: Placed,
  key: ({ data }) => data.id,
  steps: [
    step('payment', { do: Charge, done: Charged, undo: Refund }),
    step('shipping', { do: Ship, done: Shipped, failed: Lost }),
  ],
})

/** Answers each command two seconds later; the parcels of some orders are lost. */
const start = async (lost: ReadonlySet<string>) => {
  const runtime = virtualRuntime()
  const shop = await testApp(
    (app) =>
      app
        .use(fulfil)
        .handle('world', [Charge, Refund, Ship], async ({ type, data }, { append }) => {
          await new Promise<void>((resolve) => void runtime.after(2000, resolve))
          if (type === 'Charge') append('world', Charged(data))
          if (type === 'Ship') append('world', lost.has(data.id) ? Lost(data) : Shipped(data))
        }),
    { runtime },
  )
  const heard: Signal[] = []
  shop.app.listen(
    ['saga-started', 'saga-stepped', 'saga-ended'],
    (signal) => void heard.push(signal),
  )
  return { ...shop, heard }
}

const told = (heard: readonly Signal[]): readonly string[] =>
  heard.map((signal) => {
    if (signal.name === 'saga-stepped') return `${signal.step} ${signal.status}`
    return signal.name === 'saga-ended' ? signal.outcome : signal.name
  })

test('every step is told, and how long the whole has lasted', async () => {
  const { app, heard, ...shop } = await start(new Set())
  await app.append({ events: Placed({ id: '1' }) })
  await shop.settle()
  expect(told(heard)).toEqual([
    'saga-started',
    'payment doing',
    'payment done',
    'shipping doing',
    'shipping done',
    'completed',
  ])
  expect(heard.at(-1)).toMatchObject({ saga: 'fulfil', key: '1', lasted: 4000 })
  expect(app.metrics().total.sagas).toMatchObject([
    { saga: 'fulfil', started: 1, completed: 1, compensated: 0, lasted: { count: 1, max: 4000 } },
  ])
  await shop.stop()
})

test('what is taken back is told too', async () => {
  const { app, heard, ...shop } = await start(new Set(['1']))
  await app.append({ events: Placed({ id: '1' }) })
  await shop.settle()
  expect(told(heard)).toEqual([
    'saga-started',
    'payment doing',
    'payment done',
    'shipping doing',
    'shipping failed',
    'payment undoing',
    'payment undone',
    'compensated',
  ])
  expect(app.metrics().total.sagas).toMatchObject([{ started: 1, completed: 0, compensated: 1 }])
  await shop.stop()
})
