/**
 * The first question at three in the morning: is anything moving, what is stuck and since when, and what can safely be
 * done about it.
 */
import type { Behind } from '../app/history.ts'
import { cleanText } from '../internal/text.ts'
import type { Transaction } from '../ports/database.ts'
import type { DeadLetter, DeadLetterState } from '../ports/dead-letters.ts'
import type { StoreSize } from '../ports/sizes.ts'
import type { Attention } from './attention.ts'
import type { JobView } from './jobs.ts'
import { openJobsIn } from './jobs.ts'
import { nobodyRuns } from './nobody.ts'
import type { On } from './on.ts'
import { nowOf } from './on.ts'
import type { ProcessSummary } from './processes.ts'
import { processesIn } from './processes.ts'
import { removedUnread } from './retention.ts'
import type { OpenSagas } from './sagas.ts'
import { openSagaCounts } from './sagas.ts'
import { countedRows } from './sizes.ts'
import type { Beside } from './stuck-subscriptions.ts'
import { lackingOf, stuckSubscription } from './stuck-subscriptions.ts'
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
  /** That no process runs, if anything waits for one; then what is stuck, oldest first. Empty if all is well. */
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
  const sagas = await openSagaCounts(on)
  return {
    store: on.database.name,
    now,
    head: seen.head,
    last: last === undefined ? null : { type: last.type, position: last.position, time: last.time },
    attention: [...nobodyRuns({ ...seen, sagas, now }), ...attentionOf(seen, now)],
    subscriptions: all,
    processes: seen.processes,
    retries: {
      due: sum(all, 'due'),
      parked: sum(all, 'parked'),
      queued: sum(all, 'queued'),
    },
    deadLetters: seen.counts,
    sagas,
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
    ...all.flatMap((one) =>
      stuckSubscription(one, { oldest: oldest.get(one.name), now, idle, alive }),
    ),
    ...jobs.map((one) => jobOf(one, { now, idle })),
    ...stuckTimers(timers, { now, alive, idle }),
  ].filter((one) => one !== undefined)
  found.push(...processes.filter(({ alive }) => !alive).map(goneOf))
  found.push(...all.flatMap(lackingOf))
  found.push(...unread.map((one) => unreadOf(one, all, now)))
  return found.sort((left, right) => left.since - right.since)
}
