// A saga that has an order paid, stocked and shipped, and a world outside that answers as the test says.
import type { Database, Step } from 'thence'
import { handler, saga, step } from 'thence'
import type { Readable } from '../../src/message/define.ts'
import {
  Charge,
  Charged,
  Declined,
  Lost,
  type Order,
  Placed,
  Recall,
  Refund,
  Refunded,
  Release,
  Reserve,
  Reserved,
  Ship,
  Shipped,
  Short,
} from './orders.ts'
import type { Place } from './places.ts'
import { all, run } from './places.ts'

type Answer = ReturnType<typeof Charged> | undefined
type Steps = readonly Step<Order, Readable<'event', string, Order>>[]

/** The order, unless another one is named. */
export const id = 'o-1'
export const place = Placed({ id })

const answerOf = { Charge: Charged, Reserve: Reserved, Ship: Shipped, Refund: Refunded }

const defaultSteps: Steps = [
  step('payment', { do: Charge, done: Charged, failed: Declined, undo: Refund, undone: Refunded }),
  step('stock', { do: Reserve, done: Reserved, failed: Short, undo: Release }),
  step('shipping', { do: Ship, done: Shipped, failed: Lost, undo: Recall }),
]

/** The world outside: what it answers to the n-th command of a type; `undefined` is no answer at all. */
type World = (type: string, attempt: number, order: Order) => unknown

/** It answers with success, but for the types that are named: these with the one after the other that is given. */
export const worldOf =
  (other: Readonly<Record<string, readonly unknown[]>>): World =>
  (type, attempt, order) => {
    const say = type in other ? other[type]?.[attempt - 1] : answerOf[type as keyof typeof answerOf]
    return typeof say === 'function' ? say(order) : undefined
  }

export const fulfil = (steps: Steps = defaultSteps) =>
  saga('fulfil', { startedBy: Placed, key: ({ data }) => data.id, steps })

/** An app with the saga and the world; gives what the saga commanded and how it ended. */
export const start = async (
  place: Place,
  world: World,
  options: { steps?: Steps; around?: (one: Database) => Database } = {},
) => {
  const asked = new Map<string, number>()
  const outside = handler('outside', [Charge, Refund, Reserve, Release, Ship, Recall], {
    key: ({ data }) => data.id,
    run: ({ type, data }, context) => {
      const key = `${type} ${data.id}`
      asked.set(key, (asked.get(key) ?? 0) + 1)
      const answer = world(type, asked.get(key) ?? 1, data) as Answer
      if (answer !== undefined) context.append('answers', answer)
    },
  })
  const { around } = options
  const test = await run(
    place,
    (app) => app.use(fulfil(options.steps), outside).messages(Placed),
    around === undefined ? {} : { around },
  )
  const commands = async (one = id): Promise<readonly string[]> => {
    const messages = await all(test.app.stream(`fulfil-${one}`))
    return messages.filter(({ kind }) => kind === 'command').map(({ type }) => type)
  }
  const end = async (one = id) => {
    const messages = await all(test.app.stream(`fulfil-${one}`))
    return messages.find(({ type }) => type === 'fulfil.finished')?.data
  }
  return { ...test, asked, commands, end }
}
