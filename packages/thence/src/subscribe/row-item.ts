/**
 * The message of a row of retries, as it is to be tried now: read when its turn has come, under the key that it has by then.
 */
import type { StoredMessage } from '../ports/events.ts'
import type { Retry, Share } from '../ports/retries.ts'
import type { Item } from './item.ts'
import { messageOf } from './redrive.ts'
import { isMisplaced, takePlace } from './rekey.ts'
import type { Retried } from './retry-step.ts'
import { stillDue } from './retry-step.ts'
import type { Stepping } from './stepping.ts'
import { refuseUnlessHeld } from './stepping.ts'

export interface LoadingHooks {
  readonly toItem: (stored: StoredMessage) => Item
  /** The rows that this partition takes care of. */
  readonly share: Share
  /** Something was settled: a key may be free again. */
  readonly settled: () => Promise<void>
}

/** Its message is no longer in the log: there is nothing left to try. */
const endRow = (stepping: Stepping, row: Retry): Promise<void> =>
  stepping.store.transact(async (writer) => {
    await refuseUnlessHeld(stepping, writer)
    const { retries, timers } = writer.transaction
    await retries.settle(row, await timers.now())
  })

/** Nothing if it is not to be tried here and now: someone has dealt with it meanwhile, or it takes another place. */
export async function loadRow(
  stepping: Stepping,
  row: Retry,
  { toItem, share, settled }: LoadingHooks,
): Promise<Pick<Retried, 'item' | 'checkpoint'> | undefined> {
  const { store, name, hold } = stepping
  const { isDue, stored, checkpoint } = await store.read(async (transaction) => ({
    isDue: await stillDue(transaction, row),
    stored: await messageOf(transaction, row),
    checkpoint: await transaction.checkpoints.load(name, hold.partition),
  }))
  if (!isDue) return undefined
  if (stored === undefined) {
    await endRow(stepping, row)
    return undefined
  }
  const read = toItem(stored)
  const item: Item = {
    ...read,
    // What can't be read has no key of its own.
    ...(read.message === undefined ? { key: row.key, hash: row.hash } : {}),
    replaying: row.replay === true,
    attempt: row.attempts + 1,
  }
  // A key that is another one at each look has no place.
  const isMoved = isMisplaced(stepping, { row, item })
  if (!isMoved || toItem(stored).key !== item.key) return { item, checkpoint }
  // It is tried there, maybe by another partition.
  await takePlace(stepping, { row, item, partitions: share.partitions })
  await settled()
  return undefined
}
