/**
 * How far each subscription has come, told from the store alone: whether a process runs it is not known here, only
 * what it has committed.
 */
import type { PartRecord } from '../app/part-records.ts'
import { mostParked } from '../app/reporter.ts'
import { hasOneSequence } from '../app/part-records.ts'
import type { FailurePolicy } from '../handle/failure-policy.ts'
import type { Checkpoint } from '../ports/checkpoints.ts'
import type { Transaction } from '../ports/database.ts'
import type { RetrySummary } from '../ports/retries.ts'
import type { Paused, SubscriptionSettings } from '../subscribe/settings.ts'
import type { Missed } from '../subscribe/taken.ts'
import type { Known } from './known.ts'
import { gather } from './known.ts'
import type { On } from './on.ts'
import { notFound, nowOf } from './on.ts'
import type { PartitionStatus } from './partitions.ts'

/**
 * - `paused`: an operator paused it; it begins nothing new.
 * - `caught-up`: nothing after its checkpoint is older than two seconds: a running app may have done all of it.
 * - `behind`: there are messages it has not taken for longer than a running app needs.
 * - `halted`: one sequence that waits for a message that failed.
 * - `rebuilding`: its view is incomplete and not shown.
 * - `rebuild-asked`: an operator asked for a rebuild that no app has begun.
 * - `building`: it fills a version of a view beside the one that serves; its name is that of the projection, `@` and the
 *   version.
 * - `inline`: its view changes with every append; it cannot lag.
 * - `absent`: the app that started last does not have it, and nothing has moved it since.
 */
export type SubscriptionCondition =
  | 'paused'
  | 'caught-up'
  | 'behind'
  | 'halted'
  | 'rebuilding'
  | 'rebuild-asked'
  | 'building'
  | 'inline'
  | 'absent'

/** `unknown`: it has a checkpoint, but no app with such a part has told its name. */
export type SubscriptionKind = PartRecord['part'] | 'unknown'

export interface SubscriptionStatus {
  readonly name: string
  readonly kind: SubscriptionKind
  readonly state: SubscriptionCondition
  readonly partitions: readonly PartitionStatus[]
  /** Its checkpoint, of the slowest partition. A running app may be further by as much as it does in a second. */
  readonly position: number
  /** Messages in the log after the checkpoint; some of them may not be meant for it. */
  readonly behind: number
  /** Age of the first message after the checkpoint, in milliseconds; 0 if there is none. */
  readonly behindMs: number
  /** When the checkpoint last moved, Unix milliseconds; null if never. */
  readonly moved: number | null
  /** Where it halted, or null. */
  readonly haltedAt: number | null
  /** While it is rebuilt: the position at which it will be complete. Else null. */
  readonly rebuildTo: number | null
  /** Counts the rebuilds. */
  readonly generation: number
  /** Failed messages that will be tried again, … */
  readonly due: number
  /** … messages that wait for a person, whether their key waits for them or not; at most 10,000 are counted, … */
  readonly parked: number
  /** … and messages that wait behind one of those. */
  readonly queued: number
  /** When the next attempt is due, Unix milliseconds; null if none is. */
  readonly nextAttempt: number | null
  /** Since when it is paused, by whom and why; null if it is not. */
  readonly paused: Paused | null
  /** What an operator set for messages that fail for good; null: as its part says. */
  readonly policy: FailurePolicy | null
  /** Types that whoever runs it has to take; null: of a view, or of one that no app has run yet. */
  readonly types: readonly string[] | null
  /** By which version of its key it is divided; null: it never had another than the first. */
  readonly keyVersion: number | null
  /** Of a view: types of which it lacks some, up to a position; a rebuild makes it whole. */
  readonly lacks: readonly Missed[]
}

export type ProjectionStatus = SubscriptionStatus & { readonly kind: 'projection' }

/** A checkpoint may be so much older than what a running app has done, in milliseconds. */
const checkpointLag = 2000
const letterPage = 100

/** The names of all subscriptions that left a trace in this store. */
export async function subscriptionNames(transaction: Transaction): Promise<readonly string[]> {
  return (await gather(transaction)).map(({ name }) => name)
}

/**
 * Only a subscription that is one sequence leaves its checkpoint before a message that failed; all others have moved
 * past it.
 */
const haltedAt = async (
  { deadLetters, retries }: Transaction,
  { name, part, checkpoint, retries: rows }: Known,
): Promise<number | null> => {
  if (rows === undefined || !hasOneSequence(part)) return null
  const position = checkpoint?.position ?? 0
  const due = await retries.take(name, { now: Number.MAX_SAFE_INTEGER, limit: 1 })
  if (due[0] !== undefined && due[0].position > position) return due[0].position
  if (rows.parked !== 1) return null
  const parked = { subscription: name, state: 'parked', limit: letterPage } as const
  for (const { message } of await deadLetters.list(parked))
    if (message.position > position && (await retries.find(name, message.position)) !== undefined)
      return message.position
  return null
}

/** An app that has it may run beside the one that started last: then it moves its checkpoint. */
const isGone = (part: PartRecord | undefined, checkpoint: Checkpoint | undefined): boolean =>
  part?.absent !== undefined && (part.inline || (checkpoint?.time ?? 0) <= part.absent.time)

const lagging = (behindMs: number, gone: boolean): SubscriptionCondition => {
  if (behindMs <= checkpointLag) return 'caught-up'
  return gone ? 'absent' : 'behind'
}

const isHidden = (checkpoint: Checkpoint | undefined): boolean =>
  checkpoint !== undefined && checkpoint.rebuildTo > checkpoint.position

const conditionOf = (
  { part, checkpoint, building }: Known,
  seen: { readonly halted: boolean; readonly behindMs: number },
): SubscriptionCondition => {
  const gone = isGone(part, checkpoint)
  if (checkpoint?.rebuildAsked === true) return 'rebuild-asked'
  if (part?.inline === true) return gone ? 'absent' : 'inline'
  if (seen.halted) return 'halted'
  if (!gone && building) return 'building'
  if (!gone && isHidden(checkpoint)) return 'rebuilding'
  return lagging(seen.behindMs, gone)
}

const lagOf = async (
  { events }: Transaction,
  { part, checkpoint }: Known,
  at: { readonly head: number; readonly now: number },
): Promise<{ readonly behind: number; readonly behindMs: number }> => {
  const position = checkpoint?.position ?? 0
  if (part?.inline === true || position >= at.head) return { behind: 0, behindMs: 0 }
  const { messages } = await events.readAll({ after: position, limit: 1 })
  const age = at.now - (messages[0]?.time ?? at.now)
  return { behind: at.head - position, behindMs: Math.max(0, age) }
}

const statusOf = async (
  transaction: Transaction,
  known: Known,
  at: { readonly head: number; readonly now: number },
): Promise<SubscriptionStatus> => {
  const { name, part, checkpoint, partitions, retries, settings, division } = known
  const halted = await haltedAt(transaction, known)
  const lag = await lagOf(transaction, known, at)
  const condition = conditionOf(known, { halted: halted !== null, behindMs: lag.behindMs })
  return {
    name,
    kind: part?.part ?? 'unknown',
    state: settings.paused === undefined ? condition : 'paused',
    partitions,
    ...lag,
    ...place(checkpoint),
    haltedAt: halted,
    rebuildTo: condition === 'rebuilding' ? (checkpoint?.rebuildTo ?? null) : null,
    ...waiting(retries),
    parked: await transaction.deadLetters.parkedOf(name, mostParked),
    ...setting(settings),
    types: division?.types ?? null,
    keyVersion: division?.keyVersion ?? null,
    lacks: known.lacks,
  }
}

/** One that was claimed and never moved has no time yet. */
const place = (
  checkpoint: Checkpoint | undefined,
): Pick<SubscriptionStatus, 'position' | 'moved' | 'generation'> => ({
  position: checkpoint?.position ?? 0,
  moved: checkpoint?.time || null,
  generation: checkpoint?.generation ?? 0,
})

const setting = ({
  paused,
  policy,
}: SubscriptionSettings): Pick<SubscriptionStatus, 'paused' | 'policy'> => ({
  paused: paused ?? null,
  policy: policy ?? null,
})

const waiting = (
  rows: RetrySummary | undefined,
): Pick<SubscriptionStatus, 'due' | 'queued' | 'nextAttempt'> => ({
  due: rows?.due ?? 0,
  queued: rows?.queued ?? 0,
  nextAttempt: rows === undefined || rows.due === 0 ? null : rows.next,
})

/** All subscriptions inside one open transaction, by name. */
export async function subscriptionsIn(
  transaction: Transaction,
  now: number,
): Promise<readonly SubscriptionStatus[]> {
  const at = { head: await transaction.events.head(), now }
  const all: SubscriptionStatus[] = []
  for (const known of await gather(transaction)) all.push(await statusOf(transaction, known, at))
  return all
}

/** Every aggregate, projection, saga and handler that has run on this store, by name. */
export function subscriptions(on: On): Promise<readonly SubscriptionStatus[]> {
  return on.database.read((transaction) => subscriptionsIn(transaction, nowOf(on)))
}

/** One of them. @throws NOT_FOUND */
export async function subscription(on: On, name: string): Promise<SubscriptionStatus> {
  const all = await subscriptions(on)
  const found = all.find((one) => one.name === name)
  if (found !== undefined) return found
  const names = all.map((one) => one.name)
  throw notFound('subscription', name, { names, advice: 'See: thence subscriptions list.' })
}

/** The projections among the subscriptions, by name. */
export async function projections(on: On): Promise<readonly ProjectionStatus[]> {
  const all = await subscriptions(on)
  return all.filter((one): one is ProjectionStatus => one.kind === 'projection')
}
