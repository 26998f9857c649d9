/**
 * The first question at three in the morning: is anything moving, what is stuck and since when, and what can safely be
 * done about it.
 */
import type { Behind } from '../app/history.ts'
import { cleanText, quoted } from '../internal/text.ts'
import type { Transaction } from '../ports/database.ts'
import type { DeadLetter, DeadLetterState } from '../ports/dead-letters.ts'
import type { StoreSize } from '../ports/sizes.ts'
import { splitSideName } from '../project/versions.ts'
import { systemActor } from '../store/audit.ts'
import type { Paused } from '../subscribe/settings.ts'
import type { Attention } from './attention.ts'
import { overdueAfter, parkedText } from './attention.ts'
import type { JobView } from './jobs.ts'
import { openJobsIn } from './jobs.ts'
import type { On } from './on.ts'
import { nowOf } from './on.ts'
import type { ProcessSummary } from './processes.ts'
import { processesIn } from './processes.ts'
import { removedUnread } from './retention.ts'
import type { OpenSagas } from './sagas.ts'
import { openSagaCounts } from './sagas.ts'
import { countedRows } from './sizes.ts'
import type { SeenTimers } from './stuck-timers.ts'
import { seeTimers, stuckTimers } from './stuck-timers.ts'
import type { SubscriptionStatus } from './subscriptions.ts'
import { subscriptionsIn } from './subscriptions.ts'
import { noApp } from './waiting.ts'

export interface Status {
  /** The adapter's name. */
  readonly store: string
  /** When this was read, Unix milliseconds. */
  readonly now: number
  /** The last position of the log; 0 for an empty store. */
  readonly head: number
  readonly last: {
    readonly type: string
    readonly position: number
    readonly time: number
  } | null
  /** What is stuck, oldest first; empty if all is well. */
  readonly attention: readonly Attention[]
  readonly subscriptions: readonly SubscriptionStatus[]
  /** Those that run, and those that ended without a word and that nobody has noticed yet. */
  readonly processes: readonly ProcessSummary[]
  readonly retries: { readonly due: number; readonly parked: number; readonly queued: number }
  readonly deadLetters: Readonly<Record<DeadLetterState, number>>
  readonly sagas: readonly OpenSagas[]
  /** Long work that runs, is paused or has stopped by itself, the latest first; of each of these at most twenty. */
  readonly jobs: readonly JobView[]
  /** When the next timer is due, Unix milliseconds; null if there is none. */
  readonly nextTimer: number | null
  /** How large it is. */
  readonly sizes: StoreSize
}

/** A job that runs may wait so long for what it has sent, in milliseconds. */
const jobLate = 60_000
const whyLength = 100

/** What is known beside the subscription itself. */
interface Beside {
  /** The letter that was parked first, if one is. */
  readonly oldest: DeadLetter | undefined
  /** Whether any process runs. */
  readonly alive: boolean
  readonly now: number
  /** What to do if what should happen by itself does not. */
  readonly idle: string
}

const stuck = (
  one: SubscriptionStatus,
  { oldest, now, idle, alive }: Beside,
): Attention | undefined => {
  const { name, state } = one
  const parkedSince = oldest?.time
  const letters = `thence dead-letters list --subscription ${quoted(name)}`
  if (one.paused !== null) return pausedOf(name, one.paused, adviceOf(one, oldest))
  if (state === 'halted')
    return {
      name,
      what: `halted at position ${one.haltedAt ?? 0}`,
      since: parkedSince ?? now - one.behindMs,
      advice: one.parked > 0 ? letters : 'It tries again by itself.',
    }
  if (parkedSince !== undefined)
    return {
      name,
      what: `${parkedText(one.parked)} parked, ${one.queued} behind them`,
      since: parkedSince,
      advice: letters,
    }
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

/** The state of the store and of all that runs on it, read in one transaction (open sagas are counted after it). */
export async function status(on: On): Promise<Status> {
  const now = nowOf(on)
  const seen = await on.database.read(async (transaction) => {
    const { events, deadLetters } = transaction
    const all = await subscriptionsIn(transaction, now)
    const oldest = new Map<string, DeadLetter>()
    for (const { name, parked } of all) {
      if (parked === 0) continue
      const [first] = await deadLetters.list({ subscription: name, state: 'parked', limit: 1 })
      if (first !== undefined) oldest.set(name, first)
    }
    const processes = await processesIn(transaction)
    const [last] = (await events.readAll({ backwards: true, limit: 1 })).messages
    return {
      all,
      processes,
      oldest,
      head: await events.head(),
      last,
      counts: await deadLetters.counts(),
      jobs: await openJobsIn(transaction),
      sizes: await transaction.sizes.read(countedRows),
      unread: await removedUnread(transaction),
      timers: await seeTimers(transaction),
      nextTimer: await nextTimer(transaction),
    }
  })
  const { all, last } = seen
  return {
    store: on.database.name,
    now,
    head: seen.head,
    last: last === undefined ? null : { type: last.type, position: last.position, time: last.time },
    attention: attentionOf(seen, now),
    subscriptions: all,
    processes: seen.processes,
    retries: {
      due: sum(all, 'due'),
      parked: sum(all, 'parked'),
      queued: sum(all, 'queued'),
    },
    deadLetters: seen.counts,
    sagas: await openSagaCounts(on),
    jobs: seen.jobs,
    nextTimer: seen.nextTimer ?? null,
    sizes: seen.sizes,
  }
}

const nextTimer = async ({ timers }: Transaction): Promise<number | undefined> => {
  const [first] = await timers.upcoming({ after: { next: 1, id: '' }, limit: 1 })
  return first?.next
}

const sum = (all: readonly SubscriptionStatus[], field: 'due' | 'parked' | 'queued'): number =>
  all.reduce((total, one) => total + one[field], 0)

/** Its view is not what the log says, though it has read all of it. */
const lackingOf = ({ name, state, lacks }: SubscriptionStatus): readonly Attention[] => {
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

const goneOf = ({ name, seen }: ProcessSummary): Attention => ({
  name: 'process',
  what: `${name} ended without a word`,
  since: seen ?? 0,
  advice: 'What it had in hand is done by others, or when the app runs again.',
})

const unreadOf = (
  { subscription, position, truncated }: Behind,
  all: readonly SubscriptionStatus[],
  now: number,
): Attention => ({
  name: subscription,
  what: `is at ${position}, but messages up to ${truncated} were removed`,
  since: now - (all.find(({ name }) => name === subscription)?.behindMs ?? 0),
  advice: 'thence retention show',
})

/** What of a job wants an eye: that it waits for a person, or that it does not move. */
const jobOf = (
  { id, kind, state, error, next, updated, waits: needs }: JobView,
  { now, idle }: Pick<Beside, 'now' | 'idle'>,
): Attention | undefined => {
  const advice = `thence jobs show ${id}`
  const waits = { name: kind, since: updated, advice }
  if (state === 'paused') return { ...waits, what: 'a job is paused' }
  if (state === 'stopped')
    return { ...waits, what: cleanText(`a job has stopped: ${error ?? ''}`, whyLength) }
  const since = Math.max(updated, next)
  if (since > now - jobLate) return undefined
  if (needs !== null && needs !== noApp)
    return {
      name: kind,
      what: cleanText(`a job waits: ${needs}`, whyLength),
      since,
      advice: `Start one that has it, or: thence jobs cancel ${id}`,
    }
  return { name: kind, what: 'a job does not move', since, advice: idle }
}

const attentionOf = (
  {
    all,
    oldest,
    timers,
    processes,
    unread,
    jobs,
  }: {
    readonly all: readonly SubscriptionStatus[]
    readonly oldest: ReadonlyMap<string, DeadLetter>
    readonly timers: SeenTimers
    readonly processes: readonly ProcessSummary[]
    readonly unread: readonly Behind[]
    readonly jobs: readonly JobView[]
  },
  now: number,
): readonly Attention[] => {
  const alive = processes.some((one) => one.alive)
  const idle = alive ? 'A process runs; what does its log say?' : 'No process runs; start the app.'
  const found = [
    ...all.map((one) => stuck(one, { oldest: oldest.get(one.name), now, idle, alive })),
    ...jobs.map((one) => jobOf(one, { now, idle })),
    ...stuckTimers(timers, { now, alive, idle }),
  ].filter((one) => one !== undefined)
  found.push(...processes.filter(({ alive }) => !alive).map(goneOf))
  found.push(...all.flatMap(lackingOf))
  found.push(...unread.map((one) => unreadOf(one, all, now)))
  return found.sort((left, right) => left.since - right.since)
}
