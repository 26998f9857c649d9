/**
 * The job that gives history to a handler again: it puts rows into the retries, few at a time, and looks what becomes of
 * them. So order per key, limits, failure policy and dead letters are the same as ever; each batch and how far it has come
 * commit together.
 */
import type { ReplayMode } from '../handle/handler.ts'
import type { Transaction } from '../ports/database.ts'
import type { StoredMessage } from '../ports/events.ts'
import type { Job } from '../ports/jobs.ts'
import type { Item } from '../subscribe/item.ts'
import type { Advanced, JobKind } from './jobs.ts'

/** Which messages; all of a filter must fit. */
export interface ReplayFilter {
  readonly types: readonly string[]
  /** Positions greater than this. */
  readonly after: number
  /** Positions up to this: what comes later was not done before. */
  readonly through: number
  /** Recorded at this time or later, Unix milliseconds; null: whenever. */
  readonly since: number | null
  /** Recorded at this time or earlier. */
  readonly until: number | null
  readonly stream: string | null
  readonly key: string | null
}

export interface ReplaySpec {
  readonly handler: string
  readonly filter: ReplayFilter
  /** At most so many a second; null: as fast as they go through. */
  readonly rate: number | null
  /** At most so many are on their way at once. */
  readonly inFlight: number
  /** It stops by itself when so many have failed for good. */
  readonly stopAfter: number
  /** True: also where what the handler said may have been removed. */
  readonly truncated?: boolean
}

export interface ReplayProgress {
  /** Looked at up to here. */
  readonly cursor: number
  /** Given to the handler again. */
  readonly replayed: number
  /** Of those: went through, … */
  readonly resolved: number
  /** … failed for good, … */
  readonly failed: number
  /** … wait behind a message of their key that someone has to redrive or discard, … */
  readonly waiting: number
  /** … are on their way. */
  readonly inFlight: number
  /** Not given to it: they wait for it already, or were given up before, so a redrive is what they need. */
  readonly skipped: number
  /** Where those stand that are on their way. */
  readonly positions: readonly number[]
  /** Failures from before someone had it go on. */
  readonly forgiven: number
}

/** What a process knows of a handler. */
export interface Replayable {
  readonly replay: ReplayMode | undefined
  readonly item: (stored: StoredMessage) => Item
}

export const replayKind = 'replay'

export const notReplayed = ({ after }: ReplayFilter): ReplayProgress => ({
  cursor: after,
  replayed: 0,
  resolved: 0,
  failed: 0,
  waiting: 0,
  inFlight: 0,
  skipped: 0,
  positions: [],
  forgiven: 0,
})

/** Whether a message of the right type and position is meant. */
export const isMeant = (
  { since, until, stream }: ReplayFilter,
  message: Pick<StoredMessage, 'time' | 'stream'>,
): boolean =>
  (since === null || message.time >= since) &&
  (until === null || message.time <= until) &&
  (stream === null || message.stream === stream)

/** Messages that are looked at per transaction. */
const pageSize = 200
/** Milliseconds in which others go through before the next batch. */
const gather = 50
/** With a rate there are so many batches a second. */
const batchesPerSecond = 5

/** A job in the transaction of its next batch. */
interface Turn {
  readonly transaction: Transaction
  readonly spec: ReplaySpec
  readonly item: Replayable['item']
  readonly now: number
}

/** @param find the handlers of this process. */
export const replayJob = (find: (handler: string) => Replayable | undefined): JobKind => ({
  kind: replayKind,
  async advance(transaction, job, now) {
    const spec = JSON.parse(job.spec) as ReplaySpec
    const handler = find(spec.handler)
    // Another process may have it.
    if (handler === undefined) return undefined
    const before = JSON.parse(job.progress) as ReplayProgress
    const turn = { transaction, spec, now, item: handler.item }
    const seen = await look(turn, before)
    const stopped = (error: string): Advanced => ({
      progress: JSON.stringify(seen),
      state: 'stopped',
      error,
    })
    const stop = handler.replay === undefined ? notAllowed(spec) : whyStop(spec, seen)
    if (stop !== undefined) return stopped(stop)
    const fed = await feed(turn, seen)
    return fed === undefined ? stopped(removed(spec, seen)) : next(turn, job, fed)
  },
})

const removed = ({ handler }: ReplaySpec, { cursor }: ReplayProgress): string =>
  `What ${handler} said of messages after position ${cursor} may have been removed meanwhile; it would be said again. ` +
  `To go on all the same, replay from position ${cursor + 1}, and say so (truncated: true, or --truncated).`

const notAllowed = ({ handler }: ReplaySpec): string =>
  `Handler ${handler} does not say any more that history may be given to it again.`

const whyStop = (
  { stopAfter }: ReplaySpec,
  { failed, forgiven }: ReplayProgress,
): string | undefined =>
  failed - forgiven < stopAfter
    ? undefined
    : `${failed - forgiven} messages failed for good. See: thence dead-letters list.`

const next = ({ spec, now }: Turn, job: Job, fed: ReplayProgress): Advanced | undefined => {
  const progress = JSON.stringify(fed)
  const isAtEnd = fed.cursor >= spec.filter.through
  if (isAtEnd && fed.positions.length === 0) return { progress, state: 'done' }
  if (progress === job.progress) return undefined
  const sent = fed.replayed - (JSON.parse(job.progress) as ReplayProgress).replayed
  const own = spec.rate === null ? 0 : Math.ceil((sent * 1000) / spec.rate)
  // Where nothing is meant, the next page is looked at at once.
  const idle = sent === 0 && fed.positions.length === 0
  return { progress, next: idle ? now : now + Math.max(gather, own) }
}

/** What has become of those that are on their way. */
const look = async (
  { transaction, spec }: Turn,
  before: ReplayProgress,
): Promise<ReplayProgress> => {
  const { retries, deadLetters } = transaction
  const positions: number[] = []
  let [resolved, failed, isAnyDue] = [before.resolved, before.failed, false]
  for (const position of before.positions) {
    const row = await retries.find(spec.handler, position)
    if (row === undefined) {
      const letter = await deadLetters.find(spec.handler, position)
      if (letter?.replay === true && letter.state !== 'resolved') failed += 1
      else resolved += 1
    } else if (row.state === 'parked') failed += 1
    else {
      positions.push(position)
      isAnyDue ||= row.state === 'due'
    }
  }
  const seen = { ...before, resolved, failed }
  // They wait for a person, not for this job; their rows stay.
  return isAnyDue
    ? { ...seen, positions, inFlight: positions.length }
    : { ...seen, positions: [], inFlight: 0, waiting: before.waiting + positions.length }
}

const roomOf = ({ rate, inFlight }: ReplaySpec, { positions }: ReplayProgress): number => {
  const paced = rate === null ? pageSize : Math.max(1, Math.ceil(rate / batchesPerSecond))
  return Math.min(inFlight - positions.length, paced)
}

/**
 * Gives the next of them to the handler, as many as there is room for. Undefined, and nothing is given, if what it said of
 * them may be missing in the log.
 */
const feed = async (turn: Turn, seen: ReplayProgress): Promise<ReplayProgress | undefined> => {
  const { transaction, spec } = turn
  const { types, through } = spec.filter
  if (roomOf(spec, seen) <= 0 || seen.cursor >= through) return seen
  const page = await transaction.events.readAll({
    query: [{ types }],
    after: seen.cursor,
    before: through + 1,
    limit: pageSize,
  })
  const items = page.messages.map((stored) => ({ stored, one: wanted(turn, stored) }))
  if (await isLost(turn, items.find(({ one }) => one !== undefined)?.stored)) return undefined
  const given = await giveSome(turn, seen, items)
  const isWhole = !page.more && given.cursor === (page.messages.at(-1)?.position ?? seen.cursor)
  return isWhole ? { ...given, cursor: through } : given
}

interface Looked {
  readonly stored: StoredMessage
  /** Undefined: it is not meant. */
  readonly one: Item | undefined
}

const giveSome = async (
  turn: Turn,
  seen: ReplayProgress,
  items: readonly Looked[],
): Promise<ReplayProgress> => {
  const room = roomOf(turn.spec, seen)
  const given: number[] = []
  let { skipped, cursor } = seen
  for (const { stored, one } of items) {
    if (given.length === room) break
    cursor = stored.position
    if (one === undefined) continue
    if (await give(turn, one)) given.push(stored.position)
    else skipped += 1
  }
  const positions = [...seen.positions, ...given]
  const replayed = seen.replayed + given.length
  return { ...seen, skipped, positions, inFlight: positions.length, replayed, cursor }
}

/** Whether what the handler said of the message may be missing in the log, and nobody has insisted. */
const isLost = async (
  { transaction, spec }: Turn,
  first: StoredMessage | undefined,
): Promise<boolean> =>
  first !== undefined &&
  spec.truncated !== true &&
  (await transaction.events.truncated()) > first.position

const wanted = ({ spec, item }: Turn, stored: StoredMessage): Item | undefined => {
  const { filter } = spec
  if (!isMeant(filter, stored)) return undefined
  const one = item(stored)
  return filter.key === null || one.key === filter.key ? one : undefined
}

/** Returns false if it waits already, or was given up. */
const give = async ({ transaction, spec }: Turn, { stored, key, hash }: Item): Promise<boolean> => {
  const { retries, deadLetters } = transaction
  const { position, id: messageId } = stored
  if ((await retries.find(spec.handler, position)) !== undefined) return false
  const letter = await deadLetters.find(spec.handler, position)
  if (letter !== undefined && letter.state !== 'resolved') return false
  await retries.put({
    subscription: spec.handler,
    key,
    hash,
    position,
    messageId,
    state: 'queued',
    attempts: 0,
    due: 0,
    history: [],
    replay: true,
  })
  return true
}
