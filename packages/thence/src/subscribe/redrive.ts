/**
 * A parked message on its way again: as it was stored, or as an operator has edited it. It gets back its row in the
 * retries, so that order, attempts and dead letters are the same as ever.
 */
import { hashOf } from '../internal/hash.ts'
import type { Transaction } from '../ports/database.ts'
import type { DeadLetter } from '../ports/dead-letters.ts'
import type { StoredMessage } from '../ports/events.ts'
import type { Retry } from '../ports/retries.ts'

export interface Release {
  /** The job that does it; null: a person. */
  readonly job?: string | null
  /** What is to be handed over in its place. */
  readonly edited?: StoredMessage
  /** It makes a view, in the order of the log: what it has passed over cannot be given to it later. */
  readonly inOrder: boolean
}

/**
 * Sends the message of a parked letter through again, with all attempts to spend anew. It keeps its place: earlier messages
 * of its key that wait come first, later ones that wait come after it. Returns false, and changes nothing, if it cannot.
 */
export async function release(
  { deadLetters, retries, timers }: Transaction,
  letter: DeadLetter,
  { job = null, edited, inOrder }: Release,
): Promise<boolean> {
  const { id, subscription, message } = letter
  const row = await retries.find(subscription, message.position)
  if (row === undefined && inOrder) return false
  const change = { from: 'parked', to: 'redriven', job } as const
  if (!(await deadLetters.mark(id, edited === undefined ? change : { ...change, edited })))
    return false
  if (row === undefined) await retries.put(newRow(letter))
  // What waits behind an earlier message of its key goes on waiting there.
  else if (row.state === 'parked')
    await retries.put({ ...row, state: 'due', attempts: 0, due: await timers.now() })
  return true
}

/** Its key has gone on without it: it takes its place among those that wait now. */
const newRow = ({ subscription, key, message, attempts, replay }: DeadLetter): Retry => ({
  subscription,
  key,
  hash: hashOf(key),
  position: message.position,
  messageId: message.id,
  state: 'queued',
  attempts: 0,
  due: 0,
  history: attempts,
  ...(replay ? { replay } : {}),
})

/**
 * What the subscription is to be given for a row: what an operator made of the message, else the message; where that is no
 * longer in the log, the copy that its letter has kept. In a replay it is what went through. Undefined: there is nothing
 * left to try.
 */
export async function messageOf(
  { events, deadLetters }: Transaction,
  { subscription, position, replay }: Pick<Retry, 'subscription' | 'position' | 'replay'>,
): Promise<StoredMessage | undefined> {
  const letter = await deadLetters.find(subscription, position)
  const redriven = letter?.state === 'redriven' ? letter : undefined
  const edited = redriven?.edited ?? (replay === true ? letter?.edited : null)
  if (edited != null) return edited
  const { messages } = await events.readAll({ after: position - 1, limit: 1 })
  return messages.find((stored) => stored.position === position) ?? redriven?.message
}
