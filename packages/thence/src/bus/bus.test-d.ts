// What the compiler says of the bus: handlers know their event, and what does not fit is an error.
import { describe, expectTypeOf, test } from 'vitest'
import { z } from 'zod'
import { command, event } from '../message/define.ts'
import type { EventMessage } from '../message/message.ts'
import { plain } from '../message/schema.ts'
import type { Bus, FailureContext, Unsubscribe } from './bus.ts'
import { bus } from './bus.ts'

const Placed = event('OrderPlaced', plain<{ id: string }>())
const Priced = event('Priced', z.object({ cents: z.string().transform(Number) }))
const Pay = command('Pay', plain<{ id: string }>())
declare const events: Bus

describe('on', () => {
  test('types the event by its definition, its data as the schema gives it', () => {
    events.on(Placed, (given) => {
      expectTypeOf(given).toEqualTypeOf<EventMessage<'OrderPlaced', { id: string }>>()
    })
    events.on(Priced, async ({ data }) => expectTypeOf(data).toEqualTypeOf<{ cents: number }>())
    events.on('*', ({ data }) => expectTypeOf(data).toBeUnknown())
    expectTypeOf(events.on(Placed, () => 1)).toEqualTypeOf<Unsubscribe>()
  })

  test('refuses a handler of other data, a command, a name and a message', () => {
    // @ts-expect-error there is no `amount`
    events.on(Placed, ({ data }) => data.amount)
    // @ts-expect-error takes other data
    events.on(Placed, (given: EventMessage<'OrderPlaced', { amount: number }>) => given)
    // @ts-expect-error a command
    events.on(Pay, () => undefined)
    // @ts-expect-error a name is not a definition
    events.on('OrderPlaced', () => undefined)
    // @ts-expect-error a message is not its definition
    events.on(Placed({ id: '7' }), () => undefined)
    // @ts-expect-error a wildcard handler is not given data of a known type
    events.on('*', (given: EventMessage<'OrderPlaced', { id: string }>) => given)
    // @ts-expect-error no such option
    events.on(Placed, () => undefined, { nom: 'x' })
  })
})

test('once is an unsubscribe with a handler and a promise without', () => {
  expectTypeOf(events.once(Placed, ({ data }) => data.id)).toEqualTypeOf<Unsubscribe>()
  expectTypeOf(events.once(Priced)).resolves.toEqualTypeOf<
    EventMessage<'Priced', { cents: number }>
  >()
  expectTypeOf(
    events.once('*', { signal: AbortSignal.abort() }),
  ).resolves.toEqualTypeOf<EventMessage>()
  // @ts-expect-error a command
  void events.once(Pay)
})

test('emit takes events with the payload of their definition', () => {
  expectTypeOf(events.emit(Placed({ id: '7' }))).toEqualTypeOf<Promise<void>>()
  // @ts-expect-error wrong payload
  void events.emit(Placed({ id: 7 }))
  // @ts-expect-error what the schema gives is not what it takes
  void events.emit(Priced({ cents: 7 }))
  // @ts-expect-error a command
  void events.emit(Pay({ id: '7' }))
  // @ts-expect-error a definition is not a message
  void events.emit(Placed)
})

test('off and listeners take what on takes', () => {
  const handler = ({ data }: EventMessage<'OrderPlaced', { id: string }>) => data.id
  events.off(Placed, handler)
  // @ts-expect-error not a handler of that event
  events.off(Priced, handler)
  expectTypeOf(events.listeners(Placed)).toBeNumber()
  // @ts-expect-error a command
  events.listeners(Pay)
})

test('onError is given the error as unknown, the handler and the event', () => {
  const made = bus({
    onError: (error, context) => {
      expectTypeOf(error).toBeUnknown()
      expectTypeOf(context).toEqualTypeOf<FailureContext>()
    },
  })
  expectTypeOf(made).toEqualTypeOf<Bus>()
})
