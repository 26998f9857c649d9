/** What is said about money that moves between a customer and the shop. */
import { command, event, plain, query } from 'thence'
import { z } from 'zod'

export interface Payment {
  readonly orderId: string
  readonly amountMills: number
}

export interface ReturnRefund extends Payment {
  readonly cancellationNo: string
}

export const ChargePayment = command('ChargePayment', plain<Payment>())
export const PaymentCharged = event('PaymentCharged', plain<Payment>())
export const PaymentDeclined = event('PaymentDeclined', plain<Payment>())

/** Gives the whole payment back, because the order cannot be fulfilled. */
export const RefundPayment = command('RefundPayment', plain<{ readonly orderId: string }>())
export const PaymentRefunded = event('PaymentRefunded', plain<Payment>())

/** Gives a part of it back, because goods came back. */
export const RefundReturn = command('RefundReturn', plain<ReturnRefund>())
export const ReturnRefunded = event('ReturnRefunded', plain<ReturnRefund>())

export interface Till {
  /** All captured payments. */
  readonly chargedMills: number
  /** Given back for orders that could not be fulfilled. */
  readonly refundedMills: number
  /** Given back for goods that came back. */
  readonly returnedMills: number
}

export const GetTill = query('GetTill', { input: z.object({}), output: plain<Till>() })
