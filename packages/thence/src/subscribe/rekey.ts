/**
 * A message that waits under a key which it does not have any more: an operator has edited it, or it could not be read when
 * it failed. Before it is tried, it takes the place of its position among the messages of the key that it has now.
 */
import type { Transaction } from '../ports/database.ts'
import type { Retry } from '../ports/retries.ts'
import type { Item } from './item.ts'
import { stillDue } from './retry-step.ts'
import type { Stepping } from './stepping.ts'
import { refuseUnlessHeld } from './stepping.ts'

export interface Misplaced {
  readonly row: Retry
  readonly item: Item
  /** Of the subscription. */
  readonly partitions: number
}

/** Milliseconds until the next look whether it can take its place. */
const lookAgain = 200

/** What can't be read has no key of its own, and stays where it is. */
export const isMisplaced = (
  { keyed }: Stepping,
  { row, item }: Pick<Misplaced, 'row' | 'item'>,
): boolean => keyed && item.message !== undefined && item.key !== row.key

/** Whether everything of its key that stands before it was taken: what was not done of that waits in rows. */
const isTaken = async (
  { checkpoints }: Transaction,
  { name, isPast }: Stepping,
  { row: { position }, item: { hash }, partitions }: Misplaced,
): Promise<boolean> => {
  if (isPast({ hash, position })) return true
  const stored = await checkpoints.load(name, hash % partitions)
  return (stored?.position ?? 0) >= position
}

/**
 * Gives a message that is due its place under its key, where the partition of that key tries it when what stands before it
 * was done; what waited behind it under the old key goes on. As long as that partition has not come so far, all of it waits.
 */
export function takePlace(stepping: Stepping, misplaced: Misplaced): Promise<void> {
  const { row, item } = misplaced
  return stepping.store.transact(async (writer) => {
    await refuseUnlessHeld(stepping, writer)
    if (!(await stillDue(writer.transaction, row))) return
    const { transaction } = writer
    const { retries, timers } = transaction
    const now = await timers.now()
    if (!(await isTaken(transaction, stepping, misplaced)))
      return retries.put({ ...row, due: now + lookAgain })
    await retries.settle(row, now)
    // Where nothing waits before it, it is due at once.
    await retries.put({ ...row, key: item.key, hash: item.hash, state: 'queued', due: 0 })
  })
}
