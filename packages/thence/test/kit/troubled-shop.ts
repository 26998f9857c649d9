// A shop in which things go wrong on demand: a mailer that refuses orders, a view that halts, a payment that never
// comes. The tests of what operators see and do share it.
import {
  aggregate,
  app,
  command,
  documents,
  event,
  handler,
  projection,
  query,
  saga,
  step,
} from 'thence'
import type { AppBuilder, Database } from 'thence'
import { z } from 'zod'

const order = z.object({ orderId: z.string(), note: z.string().optional() })

export const PlaceOrder = command('PlaceOrder', order)
export const ChargePayment = command('ChargePayment', order)
export const OrderPlaced = event('OrderPlaced', order)
export const PaymentCharged = event('PaymentCharged', order)
export const MailSent = event('MailSent', order)
export const CountOrders = query('CountOrders', {
  input: z.object({}),
  output: z.object({ orders: z.number() }),
})

/** Order ids that make each part fail, while they are in it. */
export interface Trouble {
  readonly mailer: Set<string>
  readonly totals: Set<string>
  /** Payments that never come. */
  readonly payment: Set<string>
  /** While it is there, `totals` waits for it at each event. */
  hold?: Promise<void>
}

export const noTrouble = (): Trouble => ({
  mailer: new Set(),
  totals: new Set(),
  payment: new Set(),
})

const orders = aggregate('order', {
  initial: () => ({}),
  evolve: (on) => on(OrderPlaced, () => ({})),
  decide: (on) => on(PlaceOrder, (_, { data }) => OrderPlaced(data)),
  stream: ({ data }) => data.orderId,
})

const fulfilment = saga('fulfilment', {
  startedBy: OrderPlaced,
  key: ({ data }) => data.orderId,
  steps: [step('payment', { do: ChargePayment, done: PaymentCharged, timeout: '1h' })],
})

/** Gives up at the first failure, so that a test needs no patience. */
const retry = { attempts: 1 }

/** All its parts. */
export const stocked = (builder: AppBuilder, trouble: Trouble) =>
  builder.messages(MailSent).use(
    orders,
    fulfilment,
    handler('payment', ChargePayment, ({ data }, { append }) => {
      if (!trouble.payment.has(data.orderId))
        append(`payment-${data.orderId}`, PaymentCharged(data))
    }),
    handler('mailer', OrderPlaced, {
      retry,
      run: ({ data }, { append }) => {
        if (trouble.mailer.has(data.orderId)) throw new Error(`No mail for ${data.orderId}`)
        append(`mail-${data.orderId}`, MailSent(data))
      },
    }),
    projection('totals', {
      view: documents<{ orders: number }>(),
      retry,
      batch: 1,
      on: (on) =>
        on(OrderPlaced, ({ data }, view) => {
          if (trouble.totals.has(data.orderId)) throw new TypeError(`Cannot add ${data.orderId}`)
          return view.update('all', (all) => ({ orders: (all?.orders ?? 0) + 1 }))
        }),
      answers: (on) => on(CountOrders, async (_, view) => (await view.get('all')) ?? { orders: 0 }),
    }),
    projection('paid', {
      view: documents<{ paid: boolean }>(),
      inline: true,
      on: (on) => on(PaymentCharged, ({ data }, view) => view.put(data.orderId, { paid: true })),
    }),
  )

/** The app on a database, started, in real time. Nothing is logged. */
export const troubledShop = (database: Database, trouble: Trouble = noTrouble()) =>
  stocked(app({ database, logger: false }), trouble).start()
