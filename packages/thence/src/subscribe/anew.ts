/**
 * What a subscription leaves behind when it begins again from the start of the log.
 */
import type { Transaction } from '../ports/database.ts'

const openStates = ['parked', 'redriven'] as const

/** Everything is tried again: what was given up before is no longer anyone's business. */
const closeLetters = async ({ deadLetters }: Transaction, subscription: string): Promise<void> => {
  for (const state of openStates)
    for (;;) {
      const letters = await deadLetters.list({ state, subscription, limit: 100 })
      for (const { id } of letters)
        await deadLetters.mark(id, {
          from: state,
          to: 'discarded',
          reason: 'The projection was rebuilt.',
        })
      if (letters.length < 100) break
    }
}

/** Forgets what failed before. */
export async function forget(transaction: Transaction, subscription: string): Promise<void> {
  await transaction.retries.clear(subscription)
  await closeLetters(transaction, subscription)
}

/** Goes back to the beginning; gives the position up to which its view is incomplete, the end of the log. */
export async function beginAnew(transaction: Transaction, subscription: string): Promise<number> {
  const head = await transaction.events.head()
  await forget(transaction, subscription)
  await transaction.checkpoints.restart(subscription, head)
  return head
}
