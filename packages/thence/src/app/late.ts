/**
 * What is told when a subscription did not come to a position in time: where it is, how far behind, and what to look at.
 */
import { ThenceError } from '../errors.ts'
import { quoted } from '../internal/text.ts'
import type { Transaction } from '../ports/database.ts'
import { loadSettings } from '../subscribe/settings.ts'
import type { Subscription } from '../subscribe/subscription.ts'
import type { Goal, Here } from './reach.ts'
import { standing, waitingOf } from './reach.ts'

/** Why it stands still, if that can be seen. */
const whyOf = async (
  transaction: Transaction,
  subscription: Subscription,
  { goal, isHidden }: { readonly goal: Goal; readonly isHidden: boolean },
): Promise<string> => {
  const { name, options } = subscription
  const letters = `thence dead-letters list --subscription ${quoted(name)}`
  const waiting = await waitingOf(transaction, subscription, goal)
  if (waiting !== undefined)
    return waiting.state === 'parked'
      ? `The message at position ${waiting.position} failed and is parked; see: ${letters}`
      : `The message at position ${waiting.position} waits for its next attempt, or behind one of its key that failed; see: ${letters}`
  const { due, parked } = await transaction.retries.outlook(name)
  if (options.key === undefined && due + parked > 0)
    return `It is halted at a message that failed; see: ${letters}`
  const { paused } = await loadSettings(transaction, name)
  if (paused !== undefined)
    return `It is paused; go on with: thence subscriptions resume ${quoted(name)}`
  if (isHidden) return 'It is being rebuilt; see: thence subscriptions list'
  return 'Wait longer, or see how far it is: thence subscriptions list'
}

/** @param who what waited, for example the type of a query. */
export async function late(
  transaction: Transaction,
  subscription: Subscription,
  on: { readonly who: string; readonly goal: Goal; readonly here: Here; readonly timeout: number },
): Promise<ThenceError> {
  const { who, goal, here, timeout } = on
  const { name } = subscription
  const { position, isHidden } = await standing(transaction, subscription, here)
  const head = await transaction.events.head()
  const target = goal.position
  const lag = Math.max(0, target - position)
  const why = await whyOf(transaction, subscription, { goal, isHidden })
  return new ThenceError(
    'POSITION_TIMEOUT',
    `${who}: ${name} is at position ${position} and did not come to ${target} within ${timeout} ms (${lag} behind; the ` +
      `log ends at ${head}). ${why}`,
    { details: { subscription: name, position, target, lag, head } },
  )
}
