/**
 * Acts of an operator, each in one transaction: send a dead letter through again, edit it, give it up, take that back. A
 * running app notices within a second; if none runs, the next one does.
 */
import { editedMessage, noteEdit } from '../app/edit-letter.ts'
import { isOneSequence, makesView } from '../app/part-records.ts'
import { ThenceError } from '../errors.ts'
import type { AnyDefinition } from '../message/define.ts'
import type { OptionNames } from '../message/expect.ts'
import { expectOptions } from '../message/expect.ts'
import type { Transaction } from '../ports/database.ts'
import type { DeadLetter } from '../ports/dead-letters.ts'
import type { StoredMessage } from '../ports/events.ts'
import type { Act } from '../store/audit.ts'
import { reasonText } from '../store/audit.ts'
import { release } from '../subscribe/redrive.ts'
import { requireLetter } from './dead-letters.ts'
import type { On } from './on.ts'
import { audited, expectReason, runtimeOf } from './on.ts'
import { whyUntaken } from './waiting.ts'

/** Which dead letter was acted on. */
export interface Acted {
  readonly id: string
  readonly subscription: string
  readonly key: string
  readonly position: number
}

export interface Redriven extends Acted {
  /** Why nobody takes it at the moment, in a few words; null: a running app does within a second. */
  readonly waits: string | null
}

const actedOn = ({ id, subscription, key, message }: DeadLetter): Acted => ({
  id,
  subscription,
  key,
  position: message.position,
})

/** Notes the act in the audit log. */
const noted = async (
  on: On,
  transaction: Transaction,
  { letter, details, ...act }: Pick<Act, 'action' | 'reason' | 'details'> & { letter: DeadLetter },
): Promise<Acted> => {
  const { id, ...which } = actedOn(letter)
  await audited(on, transaction, { ...act, target: id, details: { ...which, ...details } })
  return { id, ...which }
}

const wrongState = (letter: DeadLetter, advice: string): ThenceError =>
  new ThenceError('STATE_INVALID', `The dead letter ${letter.id} is ${letter.state}. ${advice}`, {
    details: { id: letter.id, state: letter.state },
  })

export const requireReason = (reason: string, what: string): string => {
  const text = reasonText(reason)
  if (text !== null) return text
  throw new ThenceError(
    'CONFIG_INVALID',
    `To ${what} a message needs a reason; it is kept with the letter.`,
  )
}

/** A parked letter. @throws NOT_FOUND, STATE_INVALID */
const requireParked = async (
  transaction: Transaction,
  id: string,
  what: string,
): Promise<DeadLetter> => {
  const letter = await requireLetter(transaction, id)
  if (letter.state === 'parked') return letter
  throw wrongState(letter, `Only a parked one can be ${what}.`)
}

const releaseOne = async (
  transaction: Transaction,
  { letter, edited }: { readonly letter: DeadLetter; readonly edited?: StoredMessage },
): Promise<void> => {
  const inOrder = await makesView(transaction, letter.subscription)
  const options = { inOrder, ...(edited === undefined ? {} : { edited }) }
  if (await release(transaction, letter, options)) return
  throw wrongState(
    letter,
    `${letter.subscription} has passed its message over, and its view is made in the order of the log: rebuild it.`,
  )
}

export interface ActOptions {
  /** Why; kept in the audit log. */
  readonly reason?: string
}

/**
 * Sends a parked message through again, with all its attempts to spend anew; what waits behind it goes on waiting
 * until it went through. One that was edited goes as it was edited last.
 * @throws NOT_FOUND, STATE_INVALID
 */
export function redrive(on: On, id: string, options: ActOptions = {}): Promise<Redriven> {
  return on.database.transact(async (transaction) => {
    expectReason('redrive', options)
    const { reason } = options
    const letter = await requireParked(transaction, id, 'sent through again')
    await releaseOne(transaction, { letter })
    const acted = await noted(on, transaction, { letter, action: 'dead-letter.redrive', reason })
    return { ...acted, waits: await whyUntaken(transaction, letter.subscription) }
  })
}

export interface EditOptions extends ActOptions {
  /** The corrected data, whole. */
  readonly data: unknown
  /**
   * The definition of the message: its schema checks the data at once, and the data is of its version. Without it the data
   * is of the version that it was stored with, and the app checks it when it takes the message.
   */
  readonly definition?: AnyDefinition
}

const editNames: OptionNames<EditOptions> = { data: true, definition: true, reason: true }

export interface Edited extends Acted {
  /** The id of the new message. */
  readonly messageId: string
}

/**
 * Corrects a parked message and sends it through again: a new message with an id of its own, which names the old one as
 * its cause. Only the subscription that failed is given it. The letter keeps both; it is `resolved` when the new one went
 * through.
 * @throws NOT_FOUND, STATE_INVALID, VALUE_NOT_STORABLE, SCHEMA_INVALID, CONFIG_INVALID (another type's definition)
 */
export function edit(on: On, id: string, options: EditOptions): Promise<Edited> {
  return on.database.transact(async (transaction) => {
    expectOptions('edit', options, editNames)
    const { reason, ...change } = options
    const letter = await requireParked(transaction, id, 'edited')
    const runtime = runtimeOf(on)
    const edited = editedMessage(letter, change, { id: runtime.id(), now: runtime.now() })
    await releaseOne(transaction, { letter, edited })
    await noteEdit(transaction, letter, edited)
    const details = { messageId: edited.id }
    const acted = await noted(on, transaction, {
      letter,
      action: 'dead-letter.edit',
      reason,
      details,
    })
    return { ...acted, ...details }
  })
}

/**
 * Gives a message up: its letter keeps `reason`, and what waits behind it goes on. For a projection that halted at it
 * the view goes on as if the message had changed nothing; a rebuild will try it again.
 * @throws NOT_FOUND, STATE_INVALID, CONFIG_INVALID (no reason)
 */
export async function discard(on: On, id: string, reason: string): Promise<Acted> {
  const text = requireReason(reason, 'discard')
  return on.database.transact(async (transaction) => {
    const letter = await requireLetter(transaction, id)
    const from = letter.state
    if (from !== 'parked' && from !== 'redriven')
      throw wrongState(letter, 'There is nothing to give up.')
    await transaction.deadLetters.mark(id, { from, to: 'discarded', reason: text })
    await passOver(transaction, letter)
    return noted(on, transaction, { letter, action: 'dead-letter.discard', reason: text })
  })
}

/** A subscription that is one sequence stands before the message: its checkpoint has to pass it too. */
export const passOver = async (
  transaction: Transaction,
  { subscription, message: { position } }: DeadLetter,
): Promise<void> => {
  const { retries, checkpoints, timers } = transaction
  const row = await retries.find(subscription, position)
  if (row === undefined) return
  await retries.settle(row, await timers.now())
  // With keys it is past the message; what its partitions have not read yet is not to be passed over.
  if (!(await isOneSequence(transaction, subscription))) return
  const seen = (await checkpoints.load(subscription)) ?? { position: 0, generation: 0 }
  if (seen.position >= position) return
  if (!(await checkpoints.move(subscription, seen, position)))
    throw new ThenceError(
      'CHECKPOINT_MOVED',
      `The checkpoint of ${subscription} moved meanwhile; nothing was changed. Try again.`,
    )
}

/**
 * Takes a discard back: the letter is parked again, and can be redriven or edited. Its key has gone on meanwhile and does
 * not wait for it; when it is redriven it comes after what was handled since.
 * @throws NOT_FOUND, STATE_INVALID (not discarded, or of a projection, which is to be rebuilt instead)
 */
export function restore(on: On, id: string, options: ActOptions = {}): Promise<Acted> {
  return on.database.transact(async (transaction) => {
    expectReason('restore', options)
    const { reason } = options
    const letter = await requireLetter(transaction, id)
    if (letter.state !== 'discarded')
      throw wrongState(letter, 'Only a discarded one can be restored.')
    if (await makesView(transaction, letter.subscription))
      throw wrongState(
        letter,
        `${letter.subscription} is a projection, whose view is made in the order of the log: rebuild it.`,
      )
    await transaction.deadLetters.mark(id, { from: 'discarded', to: 'parked' })
    return noted(on, transaction, { letter, action: 'dead-letter.restore', reason })
  })
}
