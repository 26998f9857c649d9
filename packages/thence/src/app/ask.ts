/**
 * Questions to projections: wait until the view is far enough, then answer from one committed state.
 */
import { ThenceError } from '../errors.ts'
import { isDevelopment } from '../internal/environment.ts'
import type { OptionNames } from '../message/expect.ts'
import { expectMessage, expectOptions } from '../message/expect.ts'
import type { QueryMessage } from '../message/query.ts'
import { parse } from '../message/schema.ts'
import type { Transaction } from '../ports/database.ts'
import type { Projection } from '../project/projection.ts'
import { servingName } from '../project/versions.ts'
import type { Store } from '../store/store.ts'
import type { Engine } from './engine.ts'
import type { After } from './reach.ts'
import { goalOf, headFor } from './reach.ts'
import type { WaitingOptions } from './until.ts'
import { waitingNames, whenThere } from './until.ts'

export interface AskOptions extends WaitingOptions {
  /** What the answer must include: a token, or a position. */
  readonly after?: After
}

const optionNames: OptionNames<AskOptions> = { ...waitingNames, after: true }

export interface Asking {
  readonly store: Store
  readonly engine: Engine
  readonly answerers: ReadonlyMap<string, Projection>
}

/** See `App.ask`. */
export async function askProjection(
  query: QueryMessage,
  { store, engine, answerers }: Asking,
  options: AskOptions,
): Promise<unknown> {
  expectMessage('ask', query, 'query')
  if (isDevelopment) expectOptions('ask', options, optionNames)
  const projection = answerers.get(query.type)
  const entry = projection?.answers.get(query.type)
  if (projection === undefined || entry === undefined)
    throw new ThenceError(
      'QUERY_UNANSWERED',
      `No projection answers ${query.type}. Add answers: (on) => on(${query.type}, …) to one of them.`,
    )
  const input = parse(query.type, entry.definition.input, query.data)
  const goal = goalOf(options.after ?? 0, store.tools.tokens)
  const subscription = engine.subscription(projection.name)
  // Which version of the view serves is read with the answer: it is never of one that was just replaced.
  const answer = async (transaction: Transaction): Promise<unknown> => {
    const version = await servingName(transaction, projection.name)
    return entry.run(input, projection.view.open(transaction, version).view)
  }
  // An inline projection is never behind.
  const given =
    subscription === undefined
      ? await store.read(async (transaction) => {
          await headFor(transaction, goal)
          return answer(transaction)
        })
      : await whenThere({ ...options, store, subscription, who: query.type, goal }, answer)
  return parse(`The answer to ${entry.definition.type}`, entry.definition.output, given)
}
