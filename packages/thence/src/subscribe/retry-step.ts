/**
 * The transaction of messages that are tried again: each under a savepoint of its own, and only if it is still due. Whoever
 * no longer holds the lease commits nothing.
 */
import type { Checkpoint } from '../ports/checkpoints.ts'
import type { Transaction } from '../ports/database.ts'
import type { Retry } from '../ports/retries.ts'
import type { Writer } from '../store/writer.ts'
import { fail } from './failing.ts'
import type { Item } from './item.ts'
import type { Stepping } from './stepping.ts'
import { attempt, moved, refuseUnlessHeld, seenOf, transactThenTell } from './stepping.ts'

export interface Retried {
  readonly row: Retry
  readonly item: Item
  readonly checkpoint: Checkpoint | undefined
}

/** Whether nobody has dealt with it since it was read. */
export const stillDue = async (
  { retries }: Pick<Transaction, 'retries'>,
  row: Retry,
): Promise<boolean> => {
  const now = await retries.find(row.subscription, row.position)
  return now?.state === 'due' && now.attempts === row.attempts && now.due === row.due
}

/** Returns whether there was one. */
const resolveLetter = async (writer: Writer, row: Retry): Promise<boolean> => {
  const { deadLetters } = writer.transaction
  const letter = await deadLetters.find(row.subscription, row.position)
  if (letter?.state !== 'redriven') return false
  await deadLetters.mark(letter.id, { from: 'redriven', to: 'resolved' })
  return true
}

/**
 * Tries messages of different keys again that are due, in one transaction, each under a savepoint of its own. If one goes
 * through, or is given up and nothing waits for it, its row is gone and the next of its key is due; a sequence without
 * keys also moves its checkpoint past it. Does nothing about one if someone else was first.
 */
export function takeRetries(stepping: Stepping, all: readonly Retried[]): Promise<void> {
  return transactThenTell(stepping.store, async (writer, after) => {
    await refuseUnlessHeld(stepping, writer)
    for (const retried of all) after.push(...(await retryOne(stepping, writer, retried)))
  })
}

/** Whether the checkpoint has to move with it: then it goes alone, because each move is counted from the one before. */
export const goesAlone = ({ keyed }: Stepping, { row, checkpoint }: Retried): boolean =>
  !keyed || row.position > (checkpoint?.position ?? 0)

/** Returns what is to be told after the commit. */
const retryOne = async (
  stepping: Stepping,
  writer: Writer,
  retried: Retried,
): Promise<readonly (() => void)[]> => {
  const { failing, telling } = stepping
  const { row, item } = retried
  if (!(await stillDue(writer.transaction, row))) return []
  const { failure, run } = await attempt(stepping, writer, item)
  if (failure !== undefined) {
    const { tell, waits } = await fail(writer.transaction, failing, { item, failure, before: row })
    if (!waits) await passBy(stepping, writer, retried)
    return [tell]
  }
  const { retries, timers } = writer.transaction
  await retries.settle(row, await timers.now())
  const isResolved = await resolveLetter(writer, row)
  await passBy(stepping, writer, retried)
  return [
    () => run?.committed?.(),
    () => telling.handled([item]),
    () => {
      if (isResolved) failing.signals.emit({ name: 'message-resolved', ...telling.of(item) })
    },
  ]
}

/**
 * A sequence without keys stands before the message. One with keys was past it, unless it had none when it failed, or was
 * divided anew since: then others of its partition may still be to do before it, and nobody will take it again.
 */
const passBy = async (
  { name, hold, keyed, isPast }: Stepping,
  writer: Writer,
  { row, checkpoint }: Retried,
): Promise<void> => {
  const seen = seenOf(hold, checkpoint)
  // Never back: the subscription may have had a key when the message failed.
  const position = Math.max(seen.position, row.position)
  if (keyed && (position <= seen.position || isPast(row))) return
  if (!(await writer.transaction.checkpoints.move(name, seen, position))) throw moved(name)
}
