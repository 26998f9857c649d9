/**
 * The job that sends many parked messages through again: first one alone, then few at a time, then more the more of them go
 * through; it stops by itself when they fail again. Each batch and how far it has come commit together.
 */
import type { Transaction } from '../ports/database.ts'
import type { DeadLetter, DeadLetterState, LetterFilter } from '../ports/dead-letters.ts'
import type { Job } from '../ports/jobs.ts'
import { release } from '../subscribe/redrive.ts'
import type { Advanced, JobKind } from './jobs.ts'
import { makesView } from './part-records.ts'

/** Which letters; only what is parked is redriven. */
export type RedriveFilter = Omit<LetterFilter, 'state' | 'job'>

export interface RedriveSpec {
  readonly filter: RedriveFilter
  /** What is parked later is left alone, Unix milliseconds; absent in jobs of an older version: when they began. */
  readonly until?: number
  /** At most so many; null: all. */
  readonly limit: number | null
  /** Whether one goes alone before all others. */
  readonly canary: boolean
  /** At most so many a second; null: as fast as they go through. */
  readonly rate: number | null
  /** It stops when so many have failed again, … */
  readonly stopAfter: number
  /** … or more than this share of those that have come to an end. */
  readonly stopShare: number
  /** At most so many are on their way at once. */
  readonly inFlight: number
}

export interface RedriveProgress {
  /** The last letter that was looked at. */
  readonly cursor: string
  /** Sent through again by this job. */
  readonly redriven: number
  /** Left parked, because they cannot be given to their subscription any more. */
  readonly skipped: number
  /** Of those redriven: went through, … */
  readonly resolved: number
  /** … are parked again or were given up, … */
  readonly failed: number
  /** … are on their way. */
  readonly inFlight: number
  /** The letter that goes alone; null if none does now. */
  readonly canary: string | null
  /** Whether the others may follow. */
  readonly proven: boolean
  /** Whether every letter was looked at. */
  readonly exhausted: boolean
  /** Failures from before someone had it go on. */
  readonly forgiven: number
}

export const redriveKind = 'redrive'

export const noProgress: RedriveProgress = {
  cursor: '',
  redriven: 0,
  skipped: 0,
  resolved: 0,
  failed: 0,
  inFlight: 0,
  canary: null,
  proven: false,
  exhausted: false,
  forgiven: 0,
}

/** Of a job that is to go on: what failed so far does not count again. */
export function forgive(progress: string): string {
  const before = JSON.parse(progress) as RedriveProgress
  return JSON.stringify({ ...before, forgiven: before.failed })
}

/** Letters per transaction. */
const batch = 200
/** So many may be on their way at the beginning. */
const firstWindow = 10
/** A share of fewer than these says nothing. */
const fewest = 10
/** Milliseconds in which others go through before the next batch. */
const gather = 50
/** With a rate there are so many batches a second. */
const batchesPerSecond = 5

/** A job in the transaction of its next batch. */
interface Turn {
  readonly transaction: Transaction
  readonly job: Job
  readonly spec: RedriveSpec
  readonly now: number
}

export const redriveJob: JobKind = {
  kind: redriveKind,
  async advance(transaction, job, now) {
    const spec = JSON.parse(job.spec) as RedriveSpec
    const turn: Turn = { transaction, job, spec, now }
    const before = JSON.parse(job.progress) as RedriveProgress
    const seen = await look(turn, before)
    const stop = await whyStop(turn, seen)
    if (stop !== undefined)
      return { progress: JSON.stringify({ ...seen, canary: null }), state: 'stopped', error: stop }
    const after = await send(turn, seen)
    if (after.exhausted && !(await isAnyUnderWay(turn, after)))
      return { progress: JSON.stringify(after), state: 'done' }
    const progress = JSON.stringify(after)
    return progress === job.progress
      ? undefined
      : paced(turn, progress, after.redriven - seen.redriven)
  },
}

/** A small batch is not worth a commit of its own at once: others go through meanwhile. */
const paced = ({ spec, now }: Turn, progress: string, sent: number): Advanced => {
  const least = sent < batch ? gather : 0
  const own = spec.rate === null ? 0 : Math.ceil((sent * 1000) / spec.rate)
  return { progress, next: now + Math.max(least, own) }
}

/** What has become of what was sent so far. */
const look = async (turn: Turn, before: RedriveProgress): Promise<RedriveProgress> => {
  const { deadLetters } = turn.transaction
  const counts = await deadLetters.counts({ job: turn.job.id })
  const seen = {
    ...before,
    // Retention may take letters away that went through.
    resolved: Math.max(before.resolved, counts.resolved),
    failed: counts.parked + counts.discarded,
    inFlight: counts.redriven,
  }
  if (before.canary === null) return seen
  const canary = await deadLetters.get(before.canary)
  if (canary?.state === 'resolved') return { ...seen, canary: null, proven: true }
  // Someone has taken it away: another one goes first.
  return canary?.job === turn.job.id ? seen : { ...seen, canary: null }
}

const lastFailure = async ({ transaction, job }: Turn): Promise<DeadLetter | undefined> => {
  const failed = await transaction.deadLetters.list({ job: job.id, state: 'parked', limit: batch })
  const given = await transaction.deadLetters.list({
    job: job.id,
    state: 'discarded',
    limit: batch,
  })
  return [...failed, ...given].reduce<DeadLetter | undefined>(
    (last, one) => (last !== undefined && last.time > one.time ? last : one),
    undefined,
  )
}

/** Why it must not go on, in a sentence; undefined if it may. */
const whyStop = async (turn: Turn, seen: RedriveProgress): Promise<string | undefined> => {
  const { stopAfter, stopShare } = turn.spec
  const failed = Math.max(0, seen.failed - seen.forgiven)
  if (failed === 0) return undefined
  const ended = failed + seen.resolved
  const tooMany = failed >= stopAfter || (ended >= fewest && failed / ended > stopShare)
  if (seen.canary === null && !tooMany) return undefined
  const last = await lastFailure(turn)
  const why = last === undefined ? '' : ` ${last.errorName}: ${last.errorMessage}`.slice(0, 500)
  const what =
    seen.canary === null
      ? `${failed} of the ${ended} that came to an end failed again. The last:`
      : 'The one that went first failed again:'
  return `${what}${why}`
}

/** How many more may be on their way now. */
const room = async (turn: Turn, seen: RedriveProgress): Promise<number> => {
  const { canary, inFlight, limit } = turn.spec
  const left = limit === null ? Infinity : limit - seen.redriven - seen.skipped
  if (canary && !seen.proven) return seen.canary === null ? Math.min(1, left) : 0
  const window = Math.min(inFlight, Math.max(firstWindow, 2 * seen.resolved))
  // What stands behind messages that nobody redrives must not keep the others waiting.
  const free =
    seen.inFlight < window || (await isAnyUnderWay(turn, seen)) ? window - seen.inFlight : window
  return Math.min(free, left)
}

const pause = (rate: number | null): number =>
  rate === null ? batch : Math.max(1, Math.ceil(rate / batchesPerSecond))

/** What was parked later is another failure, and what failed again comes to no second try. */
const lastOf = ({ filter, until }: RedriveSpec, { created }: Job): number =>
  Math.min(filter.until ?? Infinity, until ?? created)

/** Sends as many as there is room for. */
const send = async (turn: Turn, seen: RedriveProgress): Promise<RedriveProgress> => {
  if (seen.exhausted) return seen
  const { transaction, job, spec } = turn
  const size = Math.min(await room(turn, seen), batch, pause(spec.rate))
  if (size <= 0) return isLimited(spec, seen) ? { ...seen, exhausted: true } : seen
  const until = lastOf(spec, job)
  const after = { after: seen.cursor, limit: size }
  const letters = await transaction.deadLetters.list({
    ...spec.filter,
    state: 'parked',
    until,
    ...after,
  })
  const redriven = await releaseAll(turn, letters)
  const isCanary = spec.canary && !seen.proven && redriven > 0
  return {
    ...seen,
    cursor: letters.at(-1)?.id ?? seen.cursor,
    redriven: seen.redriven + redriven,
    skipped: seen.skipped + letters.length - redriven,
    inFlight: seen.inFlight + redriven,
    canary: isCanary ? (letters[0]?.id ?? null) : seen.canary,
    exhausted: letters.length < size,
  }
}

/** Returns how many are on their way now. */
const releaseAll = async (
  { transaction, job }: Turn,
  letters: readonly DeadLetter[],
): Promise<number> => {
  const views = new Map<string, boolean>()
  let redriven = 0
  for (const letter of letters) {
    const { subscription } = letter
    const inOrder = views.get(subscription) ?? (await makesView(transaction, subscription))
    views.set(subscription, inOrder)
    if (await release(transaction, letter, { job: job.id, inOrder })) redriven += 1
  }
  return redriven
}

const isLimited = ({ limit }: RedriveSpec, { redriven, skipped }: RedriveProgress): boolean =>
  limit !== null && redriven + skipped >= limit

/** Whether any of those on their way is tried, or will be by itself: not only behind a message that is parked. */
const isAnyUnderWay = async (
  { transaction, job }: Turn,
  { inFlight }: RedriveProgress,
): Promise<boolean> => {
  if (inFlight === 0) return false
  const state: DeadLetterState = 'redriven'
  let after: string | undefined
  for (;;) {
    const from = after === undefined ? {} : { after }
    const letters = await transaction.deadLetters.list({
      job: job.id,
      state,
      limit: batch,
      ...from,
    })
    for (const { subscription, message } of letters)
      if ((await transaction.retries.find(subscription, message.position))?.state === 'due')
        return true
    if (letters.length < batch) return false
    after = letters.at(-1)?.id
  }
}
