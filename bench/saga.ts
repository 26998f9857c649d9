/**
 * A saga of three steps, 32 at once: a command starts each, an aggregate decides the command of every step, and it
 * counts when a handler has been told that the saga finished.
 */
import { DatabaseSync } from 'node:sqlite'
import type { App, Database } from 'thence'
import { aggregate, app, command, event, handler, plain, saga, step } from 'thence'
import { sqlite } from 'thence/sqlite'
import type { Case, Figure, Row, Setting } from './bench.ts'
import { check } from './bench.ts'
import { keepCalling, rate, warmUp } from './load.ts'
import { fileOf } from './ours.ts'

interface OrderData {
  readonly id: string
  readonly cents: number
}

const data = plain<OrderData>()
const PlaceOrder = command('PlaceOrder', data)
const TakePayment = command('TakePayment', data)
const ReserveStock = command('ReserveStock', data)
const ShipOrder = command('ShipOrder', data)
const OrderPlaced = event('OrderPlaced', data)
const PaymentTaken = event('PaymentTaken', data)
const StockReserved = event('StockReserved', data)
const OrderShipped = event('OrderShipped', data)

type Status = 'none' | 'placed' | 'paid' | 'reserved' | 'shipped'

const order = aggregate('order', {
  initial: (): Status => 'none',
  evolve: (on) =>
    on(OrderPlaced, () => 'placed')
      .on(PaymentTaken, () => 'paid')
      .on(StockReserved, () => 'reserved')
      .on(OrderShipped, () => 'shipped'),
  decide: (on) =>
    on(PlaceOrder, (state, { data: given }) => (state === 'none' ? OrderPlaced(given) : []))
      .on(TakePayment, (state, { data: given }) => (state === 'placed' ? PaymentTaken(given) : []))
      .on(ReserveStock, (state, { data: given }) => (state === 'paid' ? StockReserved(given) : []))
      .on(ShipOrder, (state, { data: given }) => (state === 'reserved' ? OrderShipped(given) : [])),
  stream: ({ data: { id } }) => id,
})

const fulfilment = saga('fulfilment', {
  startedBy: OrderPlaced,
  key: ({ data: { id } }) => id,
  steps: [
    step('pay', { do: TakePayment, done: PaymentTaken }),
    step('reserve', { do: ReserveStock, done: StockReserved }),
    step('ship', { do: ShipOrder, done: OrderShipped }),
  ],
})

/** Every saga that was started has finished as completed, after all its steps, and no command is left. */
const checkSagas = async (running: Pick<App, 'log'>, count: number): Promise<void> => {
  const types = new Map<string, number>()
  let completed = 0
  for await (const message of running.log()) {
    types.set(message.type, (types.get(message.type) ?? 0) + 1)
    if (message.type !== 'fulfilment.finished') continue
    if ((message.data as { outcome: string }).outcome === 'completed') completed += 1
  }
  const each = [OrderPlaced, TakePayment, PaymentTaken, ReserveStock, StockReserved]
  for (const { type } of [...each, ShipOrder, OrderShipped]) check(type, types.get(type), count)
  check('sagas completed', completed, count)
}

/** Sagas per second on a store that is empty. */
export async function runSagas(database: Database, { seconds }: Setting): Promise<Figure> {
  const waiting = new Map<string, () => void>()
  const told = handler('told', fulfilment.facts.finished, ({ stream }) => {
    waiting.get(stream)?.()
    waiting.delete(stream)
  })
  await using running = await app({ database }).use(order, fulfilment, told).start()
  let next = 0
  const once = async (): Promise<void> => {
    const id = `o${next++}`
    const finished = new Promise<void>((resolve) => waiting.set(`fulfilment-${id}`, resolve))
    await running.send(PlaceOrder({ id, cents: 1999 }))
    await finished
  }
  await keepCalling(32, seconds * warmUp, once)
  const done = await keepCalling(32, seconds, once)
  check('sagas still waited for', waiting.size, 0)
  await running.whenIdle()
  await checkSagas(running, next)
  return { value: rate(done) }
}

const ours: Case = {
  name: 'thence',
  side: 'ours',
  run: (setting) => runSagas(sqlite({ database: new DatabaseSync(fileOf(setting)) }), setting),
}

export const sagas: Row = {
  name: 'saga',
  title: 'three-step saga, 32 at once, each step decided by an aggregate, completion observed',
  unit: 'sagas/s',
  durability: 'WAL, synchronous=FULL: every decision, step and checkpoint committed',
  cases: [ours],
  targets: [{ atLeast: 2000 }],
}
