/**
 * Messages that wait for a person, each with its why.
 */
import type { ErrorKind } from '../errors.ts'
import { timeOf } from '../internal/uuid.ts'
import type { Transaction } from '../ports/database.ts'
import type {
  DeadLetter,
  DeadLetterState,
  LetterFilter,
  LetterGroup,
} from '../ports/dead-letters.ts'
import type { Attempt } from '../ports/retries.ts'
import type { OptionNames } from '../message/expect.ts'
import type { MessageView } from '../message/view.ts'
import { viewOf } from '../message/view.ts'
import { expectLetters, letterNames } from './letter-filter.ts'
import type { On } from './on.ts'
import { notFound } from './on.ts'
import { expectListing, expectPlace } from './place.ts'
import { subscriptionNames } from './subscriptions.ts'

/** A dead letter in a list. */
export interface DeadLetterSummary {
  readonly id: string
  readonly subscription: string
  readonly key: string
  readonly state: DeadLetterState
  /** Of the message. */
  readonly type: string
  readonly messageId: string
  readonly position: number
  /** What kind of failure it was. */
  readonly kind: ErrorKind
  /** Whether it was done before, and failed in a replay. */
  readonly replay: boolean
  readonly errorName: string
  readonly errorCode: string | null
  readonly errorMessage: string
  /** The same for letters that failed in the same way. */
  readonly fingerprint: string
  /** Whether an operator has edited its message. */
  readonly edited: boolean
  /** The job that redrove it the last time, or null. */
  readonly job: string | null
  /** When it was parked for the first time, Unix milliseconds: the order of a list. */
  readonly parkedFirst: number
  /** When it was parked for the last time, Unix milliseconds. */
  readonly time: number
  /** When its state last changed, Unix milliseconds. */
  readonly changed: number
  /** Why it was discarded, or null. */
  readonly reason: string | null
}

/** All of a dead letter. */
export interface DeadLetterView extends DeadLetterSummary {
  readonly message: MessageView
  /** What its subscription is given in the place of the message, or null. */
  readonly editedMessage: MessageView | null
  readonly stack: string
  /** The latest attempts, oldest first. */
  readonly attempts: readonly Attempt[]
}

export interface DeadLettersOptions extends LetterFilter {
  /** Only letters after this id. */
  readonly after?: string
  /** Default 50. */
  readonly limit?: number
}

/** When a letter was parked for the first time: then its id was made. */
export const parkedFirst = ({ id, time }: Pick<DeadLetter, 'id' | 'time'>): number => {
  const made = timeOf(id)
  return made <= time ? made : time
}

export const summaryOf = (letter: DeadLetter): DeadLetterSummary => ({
  id: letter.id,
  subscription: letter.subscription,
  key: letter.key,
  state: letter.state,
  type: letter.message.type,
  messageId: letter.message.id,
  position: letter.message.position,
  kind: letter.kind,
  replay: letter.replay,
  errorName: letter.errorName,
  errorCode: letter.errorCode,
  errorMessage: letter.errorMessage,
  fingerprint: letter.fingerprint,
  edited: letter.edited !== null,
  job: letter.job,
  parkedFirst: parkedFirst(letter),
  time: letter.time,
  changed: letter.changed,
  reason: letter.reason,
})

/** @throws NOT_FOUND unless the subscription has left a trace in the store. */
export async function requireSubscription(transaction: Transaction, name: string): Promise<void> {
  const names = await subscriptionNames(transaction)
  if (!names.includes(name))
    throw notFound('subscription', name, { names, advice: 'See: thence subscriptions list.' })
}

const optionNames: OptionNames<DeadLettersOptions> = { ...letterNames, after: true, limit: true }
const groupNames: OptionNames<DeadLetterGroupsOptions> = { ...letterNames, limit: true }

/**
 * Dead letters by id, so by the time when each was first parked.
 * @throws NOT_FOUND (the subscription), CONFIG_INVALID
 */
export async function deadLetters(
  { database }: On,
  given: DeadLettersOptions = {},
): Promise<readonly DeadLetterSummary[]> {
  expectListing('deadLetters', given, optionNames)
  expectLetters(given)
  expectPlace('after', given.after)
  const { limit = 50, ...options } = given
  return database.read(async (transaction) => {
    const letters = await transaction.deadLetters.list({ ...options, limit })
    if (letters.length === 0 && options.subscription !== undefined)
      await requireSubscription(transaction, options.subscription)
    return letters.map(summaryOf)
  })
}

/** Letters that failed in the same way, with one of them to look at. */
export interface DeadLetterGroup extends Omit<LetterGroup, 'sample'> {
  /** The letter that was parked for the first time last. */
  readonly sample: DeadLetterSummary
}

export interface DeadLetterGroupsOptions extends LetterFilter {
  /** Default 50. */
  readonly limit?: number
}

/**
 * Dead letters by how they failed, the largest group first. Default: those that are parked.
 * @throws NOT_FOUND (the subscription), CONFIG_INVALID
 */
export async function deadLetterGroups(
  { database }: On,
  given: DeadLetterGroupsOptions = {},
): Promise<readonly DeadLetterGroup[]> {
  expectListing('deadLetterGroups', given, groupNames)
  expectLetters(given)
  const { limit = 50, state = 'parked', ...filter } = given
  return database.read(async (transaction) => {
    const { deadLetters: letters } = transaction
    if (filter.subscription !== undefined)
      await requireSubscription(transaction, filter.subscription)
    const groups: DeadLetterGroup[] = []
    for (const group of await letters.groups({ ...filter, state, limit })) {
      const letter = await letters.get(group.sample)
      if (letter !== undefined) groups.push({ ...group, sample: summaryOf(letter) })
    }
    return groups
  })
}

/** One dead letter with its message, its stack and its attempts. @throws NOT_FOUND */
export function deadLetter({ database }: On, id: string): Promise<DeadLetterView> {
  return database.read(async (transaction) => {
    const letter = await requireLetter(transaction, id)
    const { message, edited, stack, attempts } = letter
    const editedMessage = edited === null ? null : viewOf(edited)
    return { ...summaryOf(letter), message: viewOf(message), editedMessage, stack, attempts }
  })
}

const nearby = 1000

/** @throws NOT_FOUND, with ids that begin alike. */
export async function requireLetter(transaction: Transaction, id: string): Promise<DeadLetter> {
  const letter = await transaction.deadLetters.get(id)
  if (letter !== undefined) return letter
  const some = await transaction.deadLetters.list({ limit: nearby })
  const names = some.map((one) => one.id).filter((one) => id.length > 3 && one.startsWith(id))
  throw notFound('dead letter', id, { names, advice: 'See: thence dead-letters list.' })
}
