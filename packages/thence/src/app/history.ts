/**
 * Which subscriptions will not see everything that has happened, because what they have not read was removed: those that
 * are new, or that somebody's force has overtaken.
 */
import type { Transaction } from '../ports/database.ts'
import { positionOf } from './standing.ts'

/** A subscription before messages that were removed. */
export interface Behind {
  readonly subscription: string
  /** Where it goes on. */
  readonly position: number
  /** The highest removed position of its types. */
  readonly truncated: number
}

/** Those of which removed messages stand after the checkpoint. */
export async function behindHistory(
  transaction: Transaction,
  subscriptions: readonly { readonly name: string; readonly types: readonly string[] }[],
): Promise<readonly Behind[]> {
  const found: Behind[] = []
  for (const { name, types } of subscriptions) {
    const truncated = await transaction.events.truncated(types)
    if (truncated === 0) continue
    const position = await positionOf(transaction, name)
    if (position < truncated) found.push({ subscription: name, position, truncated })
  }
  return found
}
