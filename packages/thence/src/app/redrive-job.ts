/**
 * The job that sends many parked messages through again: first one alone, then few at a time, then more the more of them go
 * through; it stops by itself when they fail again. Each batch and how far it has come commit together.
 */
import type { DeadLetter, DeadLetterState } from '../ports/dead-letters.ts'
import { release } from '../subscribe/redrive.ts'
import type { Advanced, JobKind } from './jobs.ts'
import { makesView } from './part-records.ts'
import type { Stop } from './redrive-first.ts'
import { blockerOf, sendFirst } from './redrive-first.ts'
import type { RedriveProgress, RedriveSpec, Turn } from './redrive-state.ts'
import { batch, lastTimeOf, leftOf, progressOf, redriveKind } from './redrive-state.ts'

/** So many may be on their way at the beginning. */
const firstWindow = 10
/** A share of fewer than these says nothing. */
const fewest = 10
/** Milliseconds in which others go through before the next batch. */
const gather = 50
/** With a rate there are so many batches a second. */
const batchesPerSecond = 5

export const redriveJob: JobKind = {
  kind: redriveKind,
  async advance(transaction, job, now) {
    const spec = JSON.parse(job.spec) as RedriveSpec
    const turn: Turn = { transaction, job, spec, now }
    const seen = await look(turn, progressOf(job))
    const stop = await whyStop(turn, seen)
    if (stop !== undefined) return stopped(seen, stop)
    const after = await send(turn, seen)
    if ('stop' in after) return stopped(seen, after)
    const isAnyLeft = !after.exhausted || (await transaction.deadLetters.underWay(job.id))
    const progress = JSON.stringify(after)
    if (!isAnyLeft) return { progress, state: 'done' }
    return progress === job.progress
      ? undefined
      : paced(turn, progress, after.redriven - seen.redriven)
  },
}

const stopped = (seen: RedriveProgress, { stop }: Stop): Advanced => ({
  progress: JSON.stringify({ ...seen, canary: null }),
  state: 'stopped',
  error: stop,
})

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
  const failed = counts.parked + counts.discarded
  const ended = before.inFlight - counts.redriven
  // Not counted among the letters: retention takes those away that went through.
  const resolved = before.resolved + Math.max(0, ended - Math.max(0, failed - before.failed))
  return lookAtFirst(turn, { ...before, resolved, failed, inFlight: counts.redriven })
}

/** What has become of the one that went first. */
const lookAtFirst = async (turn: Turn, seen: RedriveProgress): Promise<RedriveProgress> => {
  if (seen.canary === null) return seen
  const canary = await turn.transaction.deadLetters.get(seen.canary)
  if (canary?.state === 'resolved') return { ...seen, canary: null, proven: true }
  // Someone has taken it away: another one goes first.
  if (canary?.job !== turn.job.id) return { ...seen, canary: null }
  const by = canary.state === 'redriven' ? await blockerOf(turn, canary) : undefined
  if (by === undefined) return seen
  // What stood before it has been parked: it waits there, and another one goes first.
  return { ...seen, canary: null, search: { after: '', behind: { letter: canary.id, by } } }
}

const latest = async (
  { transaction, job }: Turn,
  state: DeadLetterState,
): Promise<DeadLetter | undefined> => {
  const time = await lastTimeOf(transaction, { job: job.id, state })
  const at = { job: job.id, state, since: time, until: time, limit: 1 }
  return (await transaction.deadLetters.list(at))[0]
}

const lastFailure = async (turn: Turn): Promise<DeadLetter | undefined> => {
  const [parked, given] = [await latest(turn, 'parked'), await latest(turn, 'discarded')]
  return (parked?.time ?? 0) >= (given?.time ?? 0) ? (parked ?? given) : given
}

/** Why it must not go on, in a sentence; undefined if it may. */
const whyStop = async (turn: Turn, seen: RedriveProgress): Promise<Stop | undefined> => {
  const { canary, stopAfter, stopShare } = turn.spec
  const failed = Math.max(0, seen.failed - seen.forgiven)
  if (failed === 0) return undefined
  const ended = failed + seen.resolved
  const tooMany = failed >= stopAfter || (ended >= fewest && failed / ended > stopShare)
  const isFirst = canary && !seen.proven
  if (!isFirst && !tooMany) return undefined
  const last = await lastFailure(turn)
  const why = last === undefined ? '' : ` ${last.errorName}: ${last.errorMessage}`.slice(0, 500)
  const what = isFirst
    ? 'The one that went first failed again:'
    : `${failed} of the ${ended} that came to an end failed again. The last:`
  return { stop: `${what}${why}` }
}

/** How many more may be on their way now. */
const room = async (turn: Turn, seen: RedriveProgress): Promise<number> => {
  const { inFlight, limit } = turn.spec
  const left = limit === null ? Infinity : limit - seen.redriven - seen.skipped
  const window = Math.min(inFlight, Math.max(firstWindow, 2 * seen.resolved))
  // What stands behind messages that nobody redrives must not keep the others waiting.
  const free =
    seen.inFlight < window || (await turn.transaction.deadLetters.underWay(turn.job.id))
      ? window - seen.inFlight
      : window
  return Math.min(free, left)
}

const pause = (rate: number | null): number =>
  rate === null ? batch : Math.max(1, Math.ceil(rate / batchesPerSecond))

/** Sends as many as there is room for. */
const send = async (turn: Turn, seen: RedriveProgress): Promise<RedriveProgress | Stop> => {
  if (seen.exhausted || seen.canary !== null) return seen
  if (turn.spec.canary && !seen.proven)
    return sendFirst(turn, seen, async (letter) => (await releaseAll(turn, [letter])) === 1)
  return sendRest(turn, seen)
}

const sendRest = async (turn: Turn, seen: RedriveProgress): Promise<RedriveProgress> => {
  const { transaction, job, spec } = turn
  const size = Math.min(await room(turn, seen), batch, pause(spec.rate))
  if (size <= 0) return isLimited(spec, seen) ? { ...seen, exhausted: true } : seen
  const after = { after: seen.cursor, limit: size }
  const letters = await transaction.deadLetters.list({ ...leftOf(spec, job), ...after })
  const redriven = await releaseAll(turn, letters)
  return {
    ...seen,
    cursor: letters.at(-1)?.id ?? seen.cursor,
    redriven: seen.redriven + redriven,
    skipped: seen.skipped + letters.length - redriven,
    inFlight: seen.inFlight + redriven,
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
