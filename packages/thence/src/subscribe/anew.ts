/**
 * What a subscription leaves behind when it begins again from the start of the log, or ends for good.
 */
import type { Transaction } from '../ports/database.ts'
import { takeAnew } from './taken.ts'

const openStates = ['parked', 'redriven'] as const

/** Discards every letter of a subscription that somebody may still act on. */
export async function closeLetters(
  { deadLetters }: Transaction,
  subscription: string,
  reason: string,
): Promise<void> {
  for (const state of openStates)
    for (;;) {
      const letters = await deadLetters.list({ state, subscription, limit: 100 })
      for (const { id } of letters)
        await deadLetters.mark(id, { from: state, to: 'discarded', reason })
      if (letters.length < 100) break
    }
}

/** Forgets what failed before: it is tried again, or no longer anyone's business. */
export async function forget(
  transaction: Transaction,
  subscription: string,
  reason = 'The projection was rebuilt.',
): Promise<void> {
  await transaction.retries.clear(subscription)
  await closeLetters(transaction, subscription, reason)
}

/** Moves a checkpoint to a place in the next generation: whoever works on from the old one is fenced. */
export async function placeAnew(
  { checkpoints }: Transaction,
  subscription: string,
  position: number,
): Promise<void> {
  const { generation, epoch } = await checkpoints.restart(subscription, 0)
  await checkpoints.move(subscription, { position: 0, generation, epoch }, position)
}

/** Goes back to the beginning; gives the position up to which its view is incomplete, the end of the log. */
export async function beginAnew(transaction: Transaction, subscription: string): Promise<number> {
  const head = await transaction.events.head({ unsettled: true })
  await forget(transaction, subscription)
  await takeAnew(transaction, subscription)
  await transaction.checkpoints.restart(subscription, head)
  return head
}
