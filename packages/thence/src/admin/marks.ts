/**
 * What has not gone on from a message: where it is parked or was discarded, is tried again, or waits behind another one.
 */
import type { Transaction } from '../ports/database.ts'
import { subscriptionNames } from './subscriptions.ts'

export interface CauseMark {
  readonly subscription: string
  /** Of its dead letter (but for `resolved`); without one: `due`, to be tried or in hand, or `queued` behind another. */
  readonly state: 'parked' | 'redriven' | 'discarded' | 'due' | 'queued'
  /** The dead letter, or null. */
  readonly letter: string | null
  /** How it failed the last time, or null. */
  readonly error: string | null
  /** The position of the parked message that it waits behind, or null. */
  readonly behind: number | null
}

const markOf = async (
  { deadLetters, retries }: Transaction,
  subscription: string,
  position: number,
): Promise<CauseMark | undefined> => {
  const letter = await deadLetters.find(subscription, position)
  if (letter !== undefined && letter.state !== 'resolved') {
    const { id, state, errorName, errorMessage } = letter
    return { subscription, state, letter: id, error: `${errorName}: ${errorMessage}`, behind: null }
  }
  const row = await retries.find(subscription, position)
  if (row === undefined) return undefined
  const before = row.state === 'queued' ? await retries.parkedBefore(row) : undefined
  return {
    subscription,
    state: row.state,
    letter: null,
    error: row.history.at(-1)?.error ?? null,
    behind: before?.position ?? null,
  }
}

/** The marks of those of the positions that have any, by subscription. */
export async function marksAt(
  transaction: Transaction,
  positions: readonly number[],
): Promise<ReadonlyMap<number, readonly CauseMark[]>> {
  const { deadLetters, retries } = transaction
  const held = new Set([
    ...(await deadLetters.openAt(positions)),
    ...(await retries.waitingAt(positions)),
  ])
  const names = held.size === 0 ? [] : await subscriptionNames(transaction)
  const marks = new Map<number, readonly CauseMark[]>()
  for (const position of held) {
    const found: CauseMark[] = []
    for (const name of names) {
      const mark = await markOf(transaction, name, position)
      if (mark !== undefined) found.push(mark)
    }
    marks.set(position, found)
  }
  return marks
}
