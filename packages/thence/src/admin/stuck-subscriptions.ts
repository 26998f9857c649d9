/**
 * Subscriptions that want a person's eye: paused, halted, with parked letters, overdue, run by nobody, behind, or with a view
 * that is not whole; each with the command that mends it.
 */
import { quoted } from '../internal/text.ts'
import type { DeadLetter } from '../ports/dead-letters.ts'
import { splitSideName } from '../project/versions.ts'
import { systemActor } from '../store/audit.ts'
import type { Paused } from '../subscribe/settings.ts'
import type { Attention } from './attention.ts'
import { overdueAfter, parkedText } from './attention.ts'
import { parkedFirst } from './dead-letters.ts'
import type { SubscriptionStatus } from './subscriptions.ts'

/** What is known beside the subscription itself. */
export interface Beside {
  /** The letter that was parked first, if one is. */
  readonly oldest: DeadLetter | undefined
  /** Whether any process runs. */
  readonly alive: boolean
  readonly now: number
  /** What to do if what should happen by itself does not. */
  readonly idle: string
}

/** What keeps it from going on, if anything does; of one that is paused also what is parked, unless the pause names it. */
export const stuckSubscription = (
  one: SubscriptionStatus,
  beside: Beside,
): readonly Attention[] => {
  const { name, paused, parked } = one
  if (paused === null) return [whyStuck(one, beside)].filter((found) => found !== undefined)
  const { oldest } = beside
  const pause = pausedOf(name, paused, adviceOf(one, oldest))
  const named = paused.actor === systemActor && parked === 1
  return oldest === undefined || named ? [pause] : [pause, parkedOf(one, parkedFirst(oldest))]
}

const lettersOf = (name: string): string =>
  `thence dead-letters list --subscription ${quoted(name)}`

const parkedOf = ({ name, parked, queued }: SubscriptionStatus, since: number): Attention => ({
  name,
  what: `${parkedText(parked)} parked, ${queued} behind them`,
  since,
  advice: lettersOf(name),
})

const whyStuck = (
  one: SubscriptionStatus,
  { oldest, now, idle, alive }: Beside,
): Attention | undefined => {
  const { name, state } = one
  const parkedSince = oldest === undefined ? undefined : parkedFirst(oldest)
  if (state === 'halted')
    return {
      name,
      what: `halted at position ${one.haltedAt ?? 0}`,
      since: parkedSince ?? now - one.behindMs,
      advice: one.parked > 0 ? lettersOf(name) : 'It tries again by itself.',
    }
  if (parkedSince !== undefined) return parkedOf(one, parkedSince)
  if (one.nextAttempt !== null && one.nextAttempt < now - overdueAfter)
    return {
      name,
      what: 'a retry is overdue',
      since: one.nextAttempt,
      advice: idle,
    }
  return (alive ? unableOf(one, now) : undefined) ?? lagging(one, now, idle)
}

/** Processes run, but none runs this one: each does without some of its types, or without its part. */
const unableOf = (one: SubscriptionStatus, now: number): Attention | undefined => {
  const { name, state, types, behind, behindMs, partitions, keyVersion } = one
  if (types === null || state !== 'behind' || behindMs <= overdueAfter) return undefined
  if (partitions.some(({ process }) => process !== null)) return undefined
  const key = keyVersion === null ? '' : ` by version ${keyVersion} of its key`
  return {
    name,
    what: `${behind} behind, and no process takes all of ${types.join(', ')}${key}`,
    since: now - behindMs,
    advice: `Start one that does, or: thence subscriptions drop-type ${quoted(name)} TYPE`,
  }
}

/** One that its policy has paused would stop again at the same message: that comes first. */
const adviceOf = (
  { name, paused, parked }: SubscriptionStatus,
  oldest: DeadLetter | undefined,
): string => {
  const resume = `thence subscriptions resume ${quoted(name)}`
  if (paused?.actor !== systemActor || oldest === undefined) return resume
  const which = parked === 1 ? `show ${oldest.id}` : `list --subscription ${quoted(name)}`
  return `thence dead-letters ${which}; mend the cause, redrive it, then ${resume}`
}

const pausedOf = (name: string, { actor, reason, time }: Paused, advice: string): Attention => ({
  name,
  what: `paused by ${actor}${reason === null ? '' : `: ${reason}`}`,
  since: time,
  advice,
})

const lagging = (one: SubscriptionStatus, now: number, idle: string): Attention | undefined => {
  const { name, state, behindMs } = one
  const since = now - behindMs
  if (state === 'rebuild-asked')
    return {
      name,
      what: 'a rebuild is asked for and has not begun',
      since: one.moved ?? since,
      advice: 'It begins when the app runs.',
    }
  if (state === 'rebuilding')
    return {
      name,
      what: `is rebuilt up to ${one.rebuildTo ?? 0}`,
      since,
      advice: 'It answers again when it is done.',
    }
  if (state === 'behind' && behindMs > overdueAfter)
    return { name, what: `${one.behind} behind`, since, advice: idle }
  return undefined
}

/** Its view is not what the log says, though it has read all of it. */
export const lackingOf = ({ name, state, lacks }: SubscriptionStatus): readonly Attention[] => {
  const [first] = lacks
  if (first === undefined) return []
  const each = lacks.map(({ type, position }) => `${type} up to position ${position}`)
  const { projection } = splitSideName(name) ?? { projection: name }
  const again = state === 'building' ? `start ${quoted(projection)} --restart` : quoted(name)
  return [
    {
      name,
      what: `its view lacks ${each.join(', ')}`,
      since: Math.min(...lacks.map(({ time }) => time)),
      advice: `When no process does without: thence rebuild ${again}`,
    },
  ]
}
