/**
 * Questions to projections: wait until the view is far enough, then answer from one committed state.
 */
import { ThenceError } from '../errors.ts'
import type { QueryMessage } from '../message/query.ts'
import { parse } from '../message/schema.ts'
import type { Entry } from '../message/collect.ts'
import type { Answer, AnyQuery, Projection } from '../project/projection.ts'
import type { Store } from '../store/store.ts'
import type { Subscription } from '../subscribe/subscription.ts'
import type { Engine } from './engine.ts'
import { reach } from './reach.ts'

export interface AskOptions {
  /** A position that the answer must include. */
  readonly after?: number
  /** Milliseconds to wait for it; default 5,000. */
  readonly timeout?: number
  readonly signal?: AbortSignal
}

export interface Asking {
  readonly store: Store
  readonly engine: Engine
  readonly answerers: ReadonlyMap<string, Projection>
}

const late = (type: string, subscription: Subscription, target: number): ThenceError =>
  new ThenceError(
    'QUERY_TIMEOUT',
    `${type}: projection ${subscription.name} is ${subscription.state} at position ${subscription.position} and did ` +
      `not reach ${target} in time. If it is halted, see its dead letter: thence dead-letters list.`,
    { details: { projection: subscription.name, position: subscription.position, target } },
  )

/** See `App.ask`. */
export async function askProjection(
  query: QueryMessage,
  { store, engine, answerers }: Asking,
  { after = 0, timeout = 5000, signal }: AskOptions,
): Promise<unknown> {
  const projection = answerers.get(query.type)
  const entry = projection?.answers.get(query.type)
  if (projection === undefined || entry === undefined)
    throw new ThenceError(
      'QUERY_UNANSWERED',
      `No projection answers ${query.type}. Add answers: (on) => on(${query.type}, …) to one of them.`,
    )
  const input = parse(query.type, entry.definition.input, query.data)
  const subscription = engine.subscription(projection.name)
  if (subscription !== undefined) {
    const target = Math.max(after, subscription.rebuildTo)
    const waiting = { runtime: store.tools.runtime, timeout, signal }
    if (!(await reach(subscription, target, waiting))) throw late(query.type, subscription, target)
  }
  return answer(store, projection, { entry, input })
}

const answer = async (
  store: Store,
  projection: Projection,
  { entry, input }: { entry: Entry<AnyQuery, Answer>; input: unknown },
): Promise<unknown> => {
  const given = await store.read(async (transaction) => {
    const { view } = projection.view.open(transaction, projection.name)
    return entry.run(input, view)
  })
  return parse(`The answer to ${entry.definition.type}`, entry.definition.output, given)
}
