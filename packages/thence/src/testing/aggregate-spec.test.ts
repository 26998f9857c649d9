// An aggregate's specification passes when the rules hold and, just as much, fails when they do not.
import { AssertionError } from 'node:assert'
import { aggregate, command, event, plain, reject } from 'thence'
import { given } from 'thence/testing'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'

const orderSchema = z.object({ orderId: z.string() })
const lineSchema = z.object({ orderId: z.string(), amount: z.number().positive() })
const PlaceOrder = command('PlaceOrder', lineSchema)
const ShipOrder = command('ShipOrder', orderSchema)
const OrderPlaced = event('OrderPlaced', lineSchema)
const OrderShipped = event('OrderShipped', orderSchema)
type Status = 'none' | 'placed' | 'shipped'
const orders = aggregate('order', {
  initial: () => ({ status: 'none' as Status }),
  evolve: (on) =>
    on(OrderPlaced, () => ({ status: 'placed' })).on(OrderShipped, () => ({ status: 'shipped' })),
  decide: (on) =>
    on(PlaceOrder, (state, { data }) => (state.status === 'none' ? OrderPlaced(data) : [])).on(
      ShipOrder,
      ({ status }, { data }) => {
        if (status === 'shipped') throw reject('ALREADY_SHIPPED', `Order ${data.orderId} is gone.`)
        return OrderShipped(data)
      },
    ),
  stream: ({ data }) => data.orderId,
})

const line = { orderId: '7', amount: 42 }
const one = { orderId: '7' }

describe('given events, when a command', () => {
  it('checks the events that happen', () => {
    given(orders, [OrderPlaced(line)])
      .when(ShipOrder(one))
      .then([OrderShipped(one)])
    given(orders).when(PlaceOrder(line)).then(OrderPlaced(line))
  })

  it('shows the difference when other events happen', () => {
    const check = (): void =>
      given(orders)
        .when(PlaceOrder(line))
        .then([OrderPlaced({ ...line, amount: 43 })])
    expect(check).toThrow(AssertionError)
    expect(check).toThrow(/other events happened[\s\S]*42[\s\S]*43/)
  })

  it('fails when more, fewer or no events are expected than happen', () => {
    const placed = given(orders).when(PlaceOrder(line))
    expect(() => placed.then([])).toThrow(AssertionError)
    expect(() => placed.thenNothing()).toThrow(AssertionError)
    expect(() => placed.then([OrderPlaced(line), OrderPlaced(line)])).toThrow(AssertionError)
  })

  it('decides several commands, each knowing what came before', () => {
    given(orders)
      .when(PlaceOrder(line), PlaceOrder(line), ShipOrder(one))
      .then([OrderPlaced(line), OrderShipped(one)])
  })

  it('checks that nothing happens', () => {
    given(orders, [OrderPlaced(line)])
      .when(PlaceOrder(line))
      .thenNothing()
  })

  it('checks the reason of a rejection', () => {
    const again = given(orders, [OrderPlaced(line), OrderShipped(one)]).when(ShipOrder(one))
    again.thenRejects('ALREADY_SHIPPED')
    expect(() => again.thenRejects('LATE')).toThrow(/another reason/)
    expect(() => again.then([])).toThrow('Order 7 is gone.')
    expect(() => given(orders).when(PlaceOrder(line)).thenRejects('LATE')).toThrow(
      'expected to be rejected with LATE, but OrderPlaced happened',
    )
  })

  it('validates commands and events by their schemas', () => {
    given(orders)
      .when(PlaceOrder({ orderId: '7', amount: -1 }))
      .thenFails('SCHEMA_INVALID')
    expect(() => given(orders, [OrderPlaced({ orderId: '7', amount: -1 })])).toThrow('amount')
  })

  it('fails for rules that change the state or the message they are given', () => {
    const Counted = event('Counted', plain<{ by: number[] }>())
    const Count = command('Count', plain<{ by: number[] }>())
    const make = (impure: 'state' | 'message') =>
      aggregate('counter', {
        initial: () => ({ all: [] as number[] }),
        evolve: (on) =>
          on(Counted, (state, { data }) => {
            if (impure === 'state') state.all.push(1)
            else data.by.push(1)
            return state
          }),
        decide: (on) => on(Count, (_, { data }) => Counted(data)),
        stream: () => 'one',
      })
    const count = Count({ by: [1] })
    given(make('state'))
      .when(count)
      .thenFails(/not extensible/)
    given(make('message'))
      .when(count)
      .thenFails(/not extensible/)
  })

  it('keeps of the state only what a snapshot would keep', () => {
    const Seen = event('Seen', plain<{ name: string }>())
    const See = command('See', plain<{ name: string }>())
    const sets = aggregate('sets', {
      initial: () => ({ names: new Set<string>() }),
      evolve: (on) =>
        on(Seen, ({ names }, { data }) => ({ names: new Set([...names, data.name]) })),
      decide: (on) => on(See, (_, { data }) => Seen(data)),
      stream: () => 'one',
      snapshot: { every: 100 },
    })
    expect(() => given(sets, [Seen({ name: 'a' })])).toThrow('is a Set')
  })

  it('upcasts events that an older definition wrote', () => {
    const old = event('Moved', plain<{ to: string }>())
    const Moved = old.upcast(plain<{ place: string }>(), ({ to }) => ({ place: to }))
    const Ask = command('Ask', plain<Record<string, never>>())
    const place = aggregate('place', {
      initial: () => ({ place: '' }),
      evolve: (on) => on(Moved, (_, { data }) => data),
      decide: (on) => on(Ask, (state) => Moved(state)),
      stream: () => 'one',
    })
    given(place, [old({ to: 'Rome' })])
      .when(Ask({}))
      .then([Moved({ place: 'Rome' })])
  })

  it('compares an id and tags where the test gives them', () => {
    const placed = given(orders).when(PlaceOrder(line))
    expect(() => placed.then([OrderPlaced(line, { id: 'x' })])).toThrow(/'x'/)
    expect(() => placed.then([OrderPlaced(line, { tags: ['a'] })])).toThrow(/'a'/)
  })

  it('says so when it is awaited instead of ended', async () => {
    const decided = given(orders).when(PlaceOrder(line))
    await expect(Promise.resolve(decided)).rejects.toThrow('is not awaited')
  })
})
