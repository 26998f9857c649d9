// A saga's specification passes when it does what is expected, and fails with what it did instead.
import { command, event, plain, saga, step } from 'thence'
import { given } from 'thence/testing'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'

const orderSchema = z.object({ orderId: z.string() })
const lineSchema = z.object({ orderId: z.string(), amount: z.number().positive() })
const OrderPlaced = event('OrderPlaced', lineSchema)
const ChargePayment = command('ChargePayment', lineSchema)
const RefundPayment = command('RefundPayment', orderSchema)
const ReserveStock = command('ReserveStock', orderSchema)
const ReleaseStock = command('ReleaseStock', orderSchema)
const ScheduleShipping = command('ScheduleShipping', orderSchema)
const PaymentCharged = event('PaymentCharged', lineSchema)
const PaymentDeclined = event('PaymentDeclined', orderSchema)
const PaymentRefunded = event('PaymentRefunded', orderSchema)
const StockReserved = event('StockReserved', orderSchema)
const StockShort = event('StockShort', orderSchema)
const ShippingScheduled = event('ShippingScheduled', orderSchema)
const ShippingFailed = event('ShippingFailed', orderSchema)
const fulfilment = saga('fulfilment', {
  startedBy: OrderPlaced,
  key: ({ data }) => data.orderId,
  steps: [
    step('payment', {
      do: ChargePayment,
      done: PaymentCharged,
      failed: PaymentDeclined,
      undo: RefundPayment,
      undone: PaymentRefunded,
      timeout: '30s',
    }),
    step('stock', {
      do: ReserveStock,
      done: StockReserved,
      failed: StockShort,
      undo: ReleaseStock,
    }),
    step('shipping', {
      do: ScheduleShipping,
      done: ShippingScheduled,
      failed: ShippingFailed,
      retry: { attempts: 3, base: 1000, cap: 60_000 },
    }),
  ],
})

const line = { orderId: '7', amount: 42 }
const one = { orderId: '7' }

describe('given events, then a saga', () => {
  const placed = [OrderPlaced(line)]
  const paid = [...placed, PaymentCharged(line)]
  const reserved = [...paid, StockReserved(one)]

  it('goes forward step by step', () => {
    given(fulfilment, placed).thenSends(ChargePayment(line)).thenTimer('payment', '30s')
    given(fulfilment, placed)
      .when(PaymentCharged(line))
      .thenSends([ReserveStock(one)])
      .thenNoTimer()
    given(fulfilment, reserved)
      .thenStep('shipping', 'doing')
      .when(ShippingScheduled(one))
      .thenSends([])
      .thenStatus('completed')
  })

  it('takes back what was done when a step fails', () => {
    given(fulfilment, paid)
      .when(StockShort(one))
      .thenSends([RefundPayment(one)])
      .thenStatus('compensating')
      .thenStep('payment', 'undoing')
      .when(PaymentRefunded(one))
      .thenSends([])
      .thenStatus('compensated')
  })

  it('takes back in reverse order', () => {
    const spec = given(fulfilment, reserved)
    for (let attempt = 1; attempt < 3; attempt += 1)
      spec
        .when(ShippingFailed(one))
        .thenSends([])
        .whenTimer('shipping')
        .thenSends([ScheduleShipping(one)])
    spec.when(ShippingFailed(one)).thenSends([ReleaseStock(one), RefundPayment(one)])
  })

  it('tells when the next attempt is due at the latest', () => {
    given(fulfilment, reserved)
      .when(ShippingFailed(one))
      .thenTimer('shipping', '1s')
      .after('999ms')
      .thenNothing()
      .thenTimer('shipping', '1ms')
      .after('1ms')
      .thenSends(ScheduleShipping(one))
  })

  it('lets time pass', () => {
    given(fulfilment, placed)
      .after('30s')
      .thenStep('payment', 'undoing')
      .thenSends([RefundPayment(one)])
  })

  it('ends when the first step fails', () => {
    given(fulfilment, placed).when(PaymentDeclined(one)).thenSends([]).thenStatus('compensated')
  })

  it('does nothing for what does not concern it', () => {
    given(fulfilment, placed).when(StockReserved(one)).thenNothing()
    given(fulfilment).when(PaymentCharged(line)).thenNothing().thenStatus('new')
  })

  it('fails with what is the case', () => {
    const spec = given(fulfilment, placed)
    expect(() => spec.thenSends([])).toThrow(/other commands[\s\S]*ChargePayment/)
    expect(() => spec.thenNothing()).toThrow('fulfilment.started')
    expect(() => spec.thenTimer('stock')).toThrow('no timer stock waits; waiting: payment')
    expect(() => spec.thenTimer('payment', '31s')).toThrow('due at another time')
    expect(() => spec.thenNoTimer()).toThrow('payment')
    expect(() => spec.thenStatus('completed')).toThrow('running')
    expect(() => spec.thenStep('stock', 'done')).toThrow('not begun')
    expect(() => spec.whenTimer('stock')).toThrow('no timer stock')
  })

  it('takes back a step that timed out, even if a later attempt failed', () => {
    const retry = { attempts: 2, base: 1000, cap: 1000 }
    const patient = saga('patient', {
      startedBy: OrderPlaced,
      key: ({ data }) => data.orderId,
      steps: [
        step('payment', {
          do: ChargePayment,
          done: PaymentCharged,
          failed: PaymentDeclined,
          undo: RefundPayment,
          timeout: '30s',
          retry,
        }),
      ],
    })
    given(patient, placed)
      .after('31s')
      .thenSends(ChargePayment(line))
      .when(PaymentDeclined(one))
      .thenSends(RefundPayment(one))
  })

  it('is about one instance', () => {
    expect(() => given(fulfilment, placed).when(PaymentDeclined({ orderId: '8' }))).toThrow(
      'belongs to instance 8',
    )
  })

  it('keeps the state of reactions as it would be stored', () => {
    const Asked = event('Asked', plain<{ id: string; count: number }>())
    const Told = event('Told', plain<{ id: string; count: number }>())
    const counting = (keep: (count: number) => unknown) =>
      saga('counting', {
        startedBy: Asked,
        key: ({ data }) => data.id,
        state: (): unknown => null,
        on: (on) => on(Told, (_, { data }) => ({ state: keep(data.count) })),
      })
    const told = Told({ id: '7', count: 3 })
    given(
      counting((count) => ({ count })),
      [Asked({ id: '7', count: 1 })],
    )
      .when(told)
      .thenState({ count: 3 })
    expect(() =>
      given(
        counting((count) => new Map([[count, 1]])),
        [Asked({ id: '7', count: 1 })],
      ).when(told),
    ).toThrow('is a Map')
  })
})
