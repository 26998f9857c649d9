/**
 * Whether everything is still in the log that a view is made of: what retention has removed can't be read again.
 */
import { ThenceError } from '../errors.ts'
import type { Transaction } from '../ports/database.ts'

/**
 * Throws HISTORY_TRUNCATED if events of the view were removed after the position from which it is to be built.
 */
export async function requireHistory(
  { events }: Pick<Transaction, 'events'>,
  of: { readonly projection: string; readonly types: readonly string[]; readonly from?: number },
): Promise<void> {
  const { projection, types, from = 0 } = of
  const truncated = await events.truncated(types)
  if (truncated <= from) return
  throw new ThenceError(
    'HISTORY_TRUNCATED',
    `A view of ${projection} that is built from position ${from} would not be whole: events up to position ${truncated} ` +
      'were removed by retention. To build it from what is left, say so (truncated: true, or --truncated).',
    { details: { projection, from, truncated } },
  )
}
