/** One payment per order: charged or declined once, and given back at most once. */
import { aggregate, reject } from 'thence'
import type { Aggregate } from 'thence'
import type { Simulation } from '../simulation.ts'
import {
  ChargePayment,
  PaymentCharged,
  PaymentDeclined,
  PaymentRefunded,
  RefundPayment,
  RefundReturn,
  ReturnRefunded,
} from './messages.ts'

interface State {
  readonly status: 'none' | 'charged' | 'declined' | 'refunded'
  readonly amountMills: number
  /** Cancellations that were paid back. */
  readonly returns: readonly string[]
}

export type PaymentCommands = 'ChargePayment' | 'RefundPayment' | 'RefundReturn'

/** The bank's answer is simulated. */
export const payment = ({ declines }: Simulation): Aggregate<PaymentCommands> =>
  aggregate('payment', {
    initial: (): State => ({ status: 'none', amountMills: 0, returns: [] }),
    evolve: (on) =>
      on(PaymentCharged, (state, { data }) => ({
        ...state,
        status: 'charged',
        amountMills: data.amountMills,
      }))
        .on(PaymentDeclined, (state) => ({ ...state, status: 'declined' }))
        .on(PaymentRefunded, (state) => ({ ...state, status: 'refunded' }))
        .on(ReturnRefunded, (state, { data }) => ({
          ...state,
          returns: [...state.returns, data.cancellationNo],
        })),
    decide: (on) =>
      on(ChargePayment, ({ status }, { data }) => {
        if (status !== 'none') return []
        return declines(data.orderId) ? PaymentDeclined(data) : PaymentCharged(data)
      })
        .on(RefundPayment, ({ status, amountMills }, { data }) =>
          status === 'charged' ? PaymentRefunded({ orderId: data.orderId, amountMills }) : [],
        )
        .on(RefundReturn, ({ status, returns }, { data }) => {
          if (status !== 'charged')
            throw reject('NOT_CHARGED', `Order ${data.orderId} holds no payment to give back.`)
          return returns.includes(data.cancellationNo) ? [] : ReturnRefunded(data)
        }),
    stream: ({ data }) => data.orderId,
  })
