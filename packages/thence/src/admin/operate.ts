/**
 * Acts of an operator, each in one transaction: send a dead letter through again, give it up, ask for a rebuild. A
 * running app notices within a second; if none runs, the next one does.
 */
import { loadParts } from '../app/part-records.ts'
import { ThenceError } from '../errors.ts'
import type { Transaction } from '../ports/database.ts'
import type { DeadLetter } from '../ports/dead-letters.ts'
import type { Retry } from '../ports/retries.ts'
import { requireLetter, requireSubscription } from './dead-letters.ts'
import type { On } from './on.ts'
import { audited, notFound, nowOf } from './on.ts'
import { reasonText } from '../store/audit.ts'
import { subscriptionNames } from './subscriptions.ts'

/** Which dead letter was acted on. */
export interface Acted {
  readonly id: string
  readonly subscription: string
  readonly key: string
  readonly position: number
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
  { letter, action, reason }: { letter: DeadLetter; action: string; reason?: string },
): Promise<Acted> => {
  const { id, ...details } = actedOn(letter)
  await audited(on, transaction, { action, target: id, details, reason })
  return { id, ...details }
}

const wrongState = (letter: DeadLetter, advice: string): ThenceError =>
  new ThenceError('STATE_INVALID', `The dead letter ${letter.id} is ${letter.state}. ${advice}`, {
    details: { id: letter.id, state: letter.state },
  })

const rowOf = ({ retries }: Transaction, letter: DeadLetter): Promise<Retry | undefined> =>
  Promise.resolve(retries.find(letter.subscription, letter.message.position))

/** Returns false, and changes nothing, if its message does not wait any more. */
const release = async (
  transaction: Transaction,
  letter: DeadLetter,
  now: number,
): Promise<boolean> => {
  const row = await rowOf(transaction, letter)
  if (row === undefined) return false
  await transaction.deadLetters.mark(letter.id, { from: 'parked', to: 'redriven' })
  // What waits behind an earlier message of its key goes on waiting there.
  if (row.state !== 'queued')
    await transaction.retries.put({ ...row, state: 'due', attempts: 0, due: now })
  return true
}

/**
 * Sends a parked message through again, with all its attempts to spend anew; what waits behind it goes on waiting
 * until it went through.
 * @throws NOT_FOUND, STATE_INVALID
 */
export function redrive(on: On, id: string): Promise<Acted> {
  return on.database.transact(async (transaction) => {
    const letter = await requireLetter(transaction, id)
    if (letter.state !== 'parked')
      throw wrongState(letter, 'Only a parked one can be sent through again.')
    if (await release(transaction, letter, nowOf(on)))
      return noted(on, transaction, { letter, action: 'dead-letter.redrive' })
    throw wrongState(
      letter,
      `Its message does not wait any more: ${letter.subscription} was rebuilt since. Discard it.`,
    )
  })
}

/**
 * Gives a message up: its letter keeps `reason`, and what waits behind it goes on. For a projection that halted at it
 * the view goes on as if the message had changed nothing; a rebuild will try it again.
 * @throws NOT_FOUND, STATE_INVALID, CONFIG_INVALID (no reason)
 */
export async function discard(on: On, id: string, reason: string): Promise<Acted> {
  const text = reasonText(reason)
  if (text === null)
    throw new ThenceError(
      'CONFIG_INVALID',
      'To discard a message needs a reason; it is kept with the letter.',
    )
  return on.database.transact(async (transaction) => {
    const letter = await requireLetter(transaction, id)
    const from = letter.state
    if (from !== 'parked' && from !== 'redriven')
      throw wrongState(letter, 'There is nothing to give up.')
    await transaction.deadLetters.mark(id, { from, to: 'discarded', reason: text })
    const row = await rowOf(transaction, letter)
    if (row !== undefined) await passOver(transaction, row, nowOf(on))
    return noted(on, transaction, { letter, action: 'dead-letter.discard', reason: text })
  })
}

/** A subscription that is one sequence stands before the message: its checkpoint has to pass it too. */
const passOver = async (
  { retries, checkpoints }: Transaction,
  row: Retry,
  now: number,
): Promise<void> => {
  const { subscription, position } = row
  await retries.settle(row, now)
  const seen = (await checkpoints.load(subscription)) ?? { position: 0, generation: 0 }
  if (seen.position >= position) return
  if (!(await checkpoints.move(subscription, seen, position)))
    throw new ThenceError(
      'CHECKPOINT_MOVED',
      `The checkpoint of ${subscription} moved meanwhile; nothing was changed. Try again.`,
    )
}

export interface RedriveAllOptions {
  readonly subscription: string
  /** At most so many; default: all that are parked. */
  readonly limit?: number
  readonly onProgress?: (redriven: number) => void
  /** Stops between two batches; what was redriven stays so. */
  readonly signal?: AbortSignal
}

export interface RedrivenAll {
  readonly subscription: string
  readonly redriven: number
  /** Letters whose message does not wait any more. */
  readonly skipped: number
}

const batch = 200

/** Sends every parked message of a subscription through again, a batch per transaction. @throws NOT_FOUND */
export async function redriveAll(on: On, options: RedriveAllOptions): Promise<RedrivenAll> {
  const { subscription, limit = Infinity, onProgress, signal } = options
  let after: string | undefined
  let redriven = 0
  let skipped = 0
  await on.database.read((transaction) => requireSubscription(transaction, subscription))
  while (redriven < limit && signal?.aborted !== true) {
    const size = Math.min(batch, limit - redriven)
    const done = await redriveBatch(on, { subscription, after, size })
    redriven += done.redriven
    skipped += done.skipped
    after = done.last
    onProgress?.(redriven)
    if (done.redriven + done.skipped < size) break
  }
  return { subscription, redriven, skipped }
}

const redriveBatch = (
  on: On,
  from: {
    readonly subscription: string
    readonly after: string | undefined
    readonly size: number
  },
): Promise<{ redriven: number; skipped: number; last: string | undefined }> =>
  on.database.transact(async (transaction) => {
    const { subscription, after, size } = from
    const letters = await transaction.deadLetters.list({
      subscription,
      state: 'parked',
      limit: size,
      ...(after === undefined ? {} : { after }),
    })
    const now = nowOf(on)
    let redriven = 0
    for (const letter of letters) if (await release(transaction, letter, now)) redriven += 1
    if (redriven > 0)
      await audited(on, transaction, {
        action: 'dead-letter.redrive',
        target: subscription,
        details: { redriven },
      })
    return { redriven, skipped: letters.length - redriven, last: letters.at(-1)?.id ?? after }
  })

/** Where a projection stood when its rebuild was asked for. */
export interface RebuildAsked {
  readonly projection: string
  readonly inline: boolean
  readonly position: number
  /** Grows by one when the rebuild begins. */
  readonly generation: number
  /** The end of the log. */
  readonly head: number
}

/**
 * Asks for a projection's view to be built anew from the log. Only an app can do it, because only it has the code: a
 * running one begins within a second, else the next one at its start.
 * @throws NOT_FOUND, STATE_INVALID (not a projection)
 */
export function askRebuild(on: On, name: string): Promise<RebuildAsked> {
  return on.database.transact(async (transaction) => {
    const { checkpoints, events } = transaction
    const parts = await loadParts(transaction)
    const part = parts.find((one) => one.name === name)
    if (part === undefined) throw await noProjection(transaction, name)
    if (part.part !== 'projection')
      throw new ThenceError(
        'STATE_INVALID',
        `"${name}" is ${part.part === 'aggregate' ? 'an' : 'a'} ${part.part}. Only projections can be rebuilt: ` +
          'what others did has consequences of its own. See: thence projections list.',
      )
    const at = (await checkpoints.load(name)) ?? { position: 0, generation: 0 }
    if (!(await checkpoints.ask(name))) {
      // It has read nothing yet: give it the row that can carry the wish.
      await checkpoints.move(name, at, 0)
      await checkpoints.ask(name)
    }
    await audited(on, transaction, { action: 'projection.rebuild', target: name })
    const { position, generation } = at
    return {
      projection: name,
      inline: part.inline,
      position,
      generation,
      head: await events.head(),
    }
  })
}

const noProjection = async (transaction: Transaction, name: string): Promise<ThenceError> =>
  notFound('projection', name, {
    names: await subscriptionNames(transaction),
    advice: 'See: thence projections list.',
  })
