/**
 * Giving history to a handler again, from outside of the app: how many messages are meant, and the job that a running app
 * does.
 */
import { requireSaid } from '../app/replay-history.ts'
import type { ReplayRequest } from '../app/replay-plan.ts'
import { beginReplay, findMeant, requestNames, specOf } from '../app/replay-plan.ts'
import { expectOptions } from '../message/expect.ts'
import type { JobView } from './jobs.ts'
import { viewJob } from './jobs.ts'
import type { On } from './on.ts'
import { runtimeOf } from './on.ts'
import { whyUntaken } from './waiting.ts'

export interface ReplayPlan {
  readonly handler: string
  /** How many messages are meant; with a key, how many there are of all keys, because only the app knows the keys. */
  readonly total: number
  /** Whether `total` is that number itself, and not only a bound. */
  readonly exact: boolean
  /** The last position that is looked at: what the handler has done so far. */
  readonly through: number
  /** Why it would not begin now, in a few words; null if a running app has the handler. */
  readonly waits: string | null
}

/** What a replay would do; changes nothing. @throws REPLAY_REFUSED, HISTORY_TRUNCATED, NOT_FOUND, CONFIG_INVALID */
export async function planReplay(
  on: On,
  handler: string,
  request: ReplayRequest = {},
): Promise<ReplayPlan> {
  expectOptions(`replay to ${handler}`, request, requestNames)
  const { database } = on
  const spec = await database.read((transaction) => specOf(transaction, handler, request))
  const { filter } = spec
  const meant = await findMeant({ database, runtime: runtimeOf(on) }, filter)
  const waits = await database.read(async (transaction) => {
    await requireSaid(transaction, spec, meant)
    return whyUntaken(transaction, handler)
  })
  const { total } = meant
  return { handler, total, exact: filter.key === null, through: filter.through, waits }
}

/**
 * Begins a job that gives messages to a handler again. Running apps do it, a batch at a time; if none runs, the next one
 * does. What the handler has not done yet is not part of it.
 * @throws REPLAY_REFUSED, HISTORY_TRUNCATED, NOT_FOUND, CONFIG_INVALID
 */
export async function startReplay(
  on: On,
  handler: string,
  request: ReplayRequest = {},
): Promise<JobView> {
  const { total, exact } = await planReplay(on, handler, request)
  return on.database.transact(async (transaction) => {
    const spec = await specOf(transaction, handler, request)
    const what = { spec, total: exact ? total : null }
    const about = { runtime: runtimeOf(on), actor: on.actor, reason: request.reason }
    return viewJob(transaction, await beginReplay(transaction, what, about))
  })
}
