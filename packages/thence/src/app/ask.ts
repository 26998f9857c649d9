/**
 * Questions to projections: wait until the view is far enough, then answer from one committed state.
 */
import { ThenceError } from '../errors.ts'
import type { Duration } from '../internal/duration.ts'
import { milliseconds } from '../internal/duration.ts'
import type { QueryMessage } from '../message/query.ts'
import { parse } from '../message/schema.ts'
import { wait } from '../ports/wait.ts'
import type { Entry } from '../message/collect.ts'
import type { Answer, AnyQuery, Projection } from '../project/projection.ts'
import type { Store } from '../store/store.ts'
import type { Subscription } from '../subscribe/subscription.ts'
import type { Engine } from './engine.ts'
import { reach } from './reach.ts'

export interface AskOptions {
  /** A position that the answer must include. */
  readonly after?: number
  /** How long to wait for it; default 5 s. */
  readonly timeout?: Duration
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
  options: AskOptions,
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
  const asked = { store, projection, entry, input }
  const found =
    subscription === undefined
      ? await look(asked)
      : await lookInTime({ ...asked, subscription }, options)
  return parse(`The answer to ${entry.definition.type}`, entry.definition.output, found?.given)
}

interface Asked {
  readonly store: Store
  readonly projection: Projection
  readonly entry: Entry<AnyQuery, Answer>
  readonly input: unknown
  /** None for an inline projection, whose view is never behind. */
  readonly subscription?: Subscription
}

/** Milliseconds until a view is looked at again whose rebuild had begun unnoticed. */
const pause = 10

/** Looks when the view is far enough. @throws QUERY_TIMEOUT, ABORTED */
const lookInTime = async (
  asked: Asked & Required<Pick<Asked, 'subscription'>>,
  { after = 0, timeout = '5s', signal }: AskOptions,
): Promise<Found> => {
  const { store, subscription, entry } = asked
  const { runtime } = store.tools
  const end = runtime.now() + milliseconds('timeout of ask', timeout)
  for (;;) {
    const target = Math.max(after, subscription.rebuildTo)
    const left = Math.max(0, end - runtime.now())
    const there = await reach(subscription, target, { runtime, timeout: left, signal })
    const found = there ? await look(asked) : undefined
    if (found !== undefined) return found
    if (!there || left === 0) throw late(entry.definition.type, subscription, target)
    await wait(runtime, Math.min(left, pause), signal)
  }
}

interface Found {
  readonly given: unknown
}

/** Answers from one committed state; gives nothing if that is of a rebuild which the subscription does not know yet. */
const look = ({
  store,
  projection,
  entry,
  input,
  subscription,
}: Asked): Promise<Found | undefined> =>
  store.read(async (transaction) => {
    if (subscription !== undefined) {
      const stored = await transaction.checkpoints.load(projection.name)
      if ((stored?.generation ?? 0) !== subscription.generation) return undefined
    }
    const { view } = projection.view.open(transaction, projection.name)
    return { given: await entry.run(input, view) }
  })
