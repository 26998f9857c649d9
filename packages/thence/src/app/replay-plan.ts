/**
 * What a replay would do, and beginning one: the same from an app and from outside of it.
 */
import { ThenceError } from '../errors.ts'
import type { OptionNames } from '../message/expect.ts'
import { shown } from '../message/expect.ts'
import type { JsonValue } from '../message/json.ts'
import type { Database, Transaction } from '../ports/database.ts'
import type { StoredMessage } from '../ports/events.ts'
import type { Job } from '../ports/jobs.ts'
import type { Runtime } from '../ports/runtime.ts'
import { turn } from '../ports/wait.ts'
import { actorText, recordAct } from '../store/audit.ts'
import { loadDivision } from '../subscribe/division.ts'
import type { PartRecord } from './part-records.ts'
import { loadPart } from './part-records.ts'
import type { Meant } from './replay-history.ts'
import type { ReplayFilter, ReplaySpec } from './replay-job.ts'
import { isMeant, notReplayed, replayKind } from './replay-job.ts'

/** Which part of history, and how fast. */
export interface ReplayRequest {
  /** The first: a position, or a time. Default: from the beginning of the log. */
  readonly from?: number | Date
  /** The last, inclusive: a position, or a time. Default, and at most: up to what the handler has done. */
  readonly to?: number | Date
  /** Only messages of this stream. */
  readonly stream?: string
  /** Only messages of these types; default: all that the handler takes. */
  readonly types?: readonly string[]
  /** Only messages of this key of the handler. */
  readonly key?: string
  /** At most so many a second; default: as fast as they go through. */
  readonly rate?: number
  /** At most so many are on their way at once, 1 to 500; default 100. */
  readonly inFlight?: number
  /** It stops by itself when so many have failed for good; default 10. */
  readonly stopAfter?: number
  /**
   * Also where retention has removed messages after the first that is meant: what the handler said may be among them, and
   * it would say that again. Default: that is refused.
   */
  readonly truncated?: boolean
  /** Why; kept in the audit log. */
  readonly reason?: string
}

export const requestNames: OptionNames<ReplayRequest> = {
  from: true,
  to: true,
  stream: true,
  types: true,
  key: true,
  rate: true,
  inFlight: true,
  stopAfter: true,
  truncated: true,
  reason: true,
}

const mostInFlight = 500

const invalid = (text: string): ThenceError => new ThenceError('CONFIG_INVALID', text)

const checkCount = (name: string, value: number, most: number): number => {
  if (Number.isSafeInteger(value) && value >= 1 && value <= most) return value
  throw invalid(`${name} of the replay is ${shown(value)}; give a whole number from 1 to ${most}.`)
}

/** A position, or a time in Unix milliseconds; nothing: as far as there is any. */
interface Edge {
  readonly position?: number
  readonly time?: number
}

const edge = (name: string, value: number | Date | undefined): Edge => {
  if (value === undefined) return {}
  if (typeof value === 'number')
    return { position: checkCount(name, value, Number.MAX_SAFE_INTEGER) }
  const time = value instanceof Date ? value.getTime() : Number.NaN
  if (Number.isNaN(time))
    throw invalid(
      `${name} of the replay is ${shown(value)}; give a position, or a Date that is one.`,
    )
  return { time }
}

const beginsAfterEnd = (name: string, from: string, to: string): ThenceError =>
  invalid(
    `The replay to ${name} is from ${from} to ${to}, which is before it, so that nothing is meant. Give the earlier ` +
      'one as from.',
  )

/** @throws CONFIG_INVALID if one is after the other, both being positions or both times. */
const checkStretch = (name: string, from: Edge, to: Edge): void => {
  if ((from.position ?? 0) > (to.position ?? Infinity))
    throw beginsAfterEnd(name, `position ${from.position}`, `position ${to.position}`)
  if ((from.time ?? -Infinity) > (to.time ?? Infinity))
    throw beginsAfterEnd(name, isoOf(from.time), isoOf(to.time))
}

const isoOf = (time = 0): string => new Date(time).toISOString()

const advice = {
  projection: 'Rebuild it: its view is made of the whole log, in order.',
  saga: 'A saga acts over time; what it did cannot be done again. Correct it by new events.',
  aggregate: 'An aggregate decides each command once.',
} as const

/** @throws REPLAY_REFUSED, NOT_FOUND */
const requireHandler = (name: string, record: PartRecord | undefined): PartRecord => {
  if (record === undefined)
    throw new ThenceError(
      'NOT_FOUND',
      `There is no handler ${name}. See: thence subscriptions list.`,
    )
  const details = { name, part: record.part }
  if (record.part !== 'handler')
    throw new ThenceError(
      'REPLAY_REFUSED',
      `${name} is not a handler but a ${record.part}. ${advice[record.part]}`,
      { details },
    )
  if (record.replay !== undefined) return record
  throw new ThenceError(
    'REPLAY_REFUSED',
    `Handler ${name} does not say that history may be given to it again. If doing a message once more changes nothing, ` +
      "give it replay: 'idempotent'; else put what must not be repeated into context.skipOnReplay and give it replay: 'marked'.",
    { details },
  )
}

const typesOf = (name: string, { types: own = [] }: PartRecord, types = own): readonly string[] => {
  const other = types.find((type) => !own.includes(type))
  if (other === undefined && types.length > 0) return types
  throw invalid(
    `Handler ${name} takes no ${other === undefined ? 'such message' : shown(other)}; it takes ${own.join(', ')}.`,
  )
}

/** @throws NOT_FOUND: of a stream that there never was, nothing can be meant. */
const requireStream = async ({ events }: Transaction, stream: string): Promise<void> => {
  if ((await events.stream(stream)) !== undefined) return
  throw new ThenceError(
    'NOT_FOUND',
    `There is no stream ${JSON.stringify(stream)} in this store. See: thence streams list.`,
    { details: { stream } },
  )
}

/** What every partition of the handler has taken already. */
const doneThrough = async (transaction: Transaction, name: string): Promise<number> => {
  const { partitions } = await loadDivision(transaction, name)
  const rows = await transaction.checkpoints.list(name)
  return rows.length < partitions ? 0 : Math.min(...rows.map(({ position }) => position))
}

/** @throws REPLAY_REFUSED, NOT_FOUND, CONFIG_INVALID */
export async function specOf(
  transaction: Transaction,
  name: string,
  request: ReplayRequest,
): Promise<ReplaySpec> {
  const { stream = null, key = null, rate, inFlight = 100, stopAfter = 10, truncated } = request
  const record = requireHandler(name, await loadPart(transaction, name))
  const from = edge('from', request.from)
  const to = edge('to', request.to)
  checkStretch(name, from, to)
  const most = Number.MAX_SAFE_INTEGER
  if (stream !== null) await requireStream(transaction, stream)
  const done = await doneThrough(transaction, name)
  return {
    handler: name,
    filter: {
      types: typesOf(name, record, request.types),
      after: (from.position ?? 1) - 1,
      through: Math.min(to.position ?? most, done),
      since: from.time ?? null,
      until: to.time ?? null,
      stream,
      key,
    },
    rate: rate === undefined ? null : checkCount('rate', rate, most),
    inFlight: checkCount('inFlight', inFlight, mostInFlight),
    stopAfter: checkCount('stopAfter', stopAfter, most),
    ...(truncated === true ? { truncated } : {}),
  }
}

const pageSize = 500

/** Which messages are meant. @param keyOf absent: nobody here knows the keys, so they are not looked at. */
export async function findMeant(
  { database, runtime }: { readonly database: Database; readonly runtime: Pick<Runtime, 'soon'> },
  filter: ReplayFilter,
  keyOf?: (stored: StoredMessage) => string,
): Promise<Meant> {
  const { types, through, key } = filter
  const isOfKey = (stored: StoredMessage): boolean =>
    key === null || keyOf === undefined || keyOf(stored) === key
  let [total, first]: [number, number | undefined] = [0, undefined]
  for (let after = filter.after; after < through;) {
    const from = after
    const page = await database.read(({ events }) =>
      events.readAll({ query: [{ types }], after: from, before: through + 1, limit: pageSize }),
    )
    const meant = page.messages.filter((one) => isMeant(filter, one) && isOfKey(one))
    total += meant.length
    first ??= meant[0]?.position
    if (!page.more) break
    // Heartbeats and requests have their turn.
    await turn(runtime)
    after = page.messages.at(-1)?.position ?? through
  }
  return { total, first }
}

/** Who begins a job. */
export interface Beginning {
  readonly runtime: Pick<Runtime, 'now' | 'id'>
  readonly actor: string | undefined
  readonly reason: string | undefined
}

/** Writes the job down, and into the audit log. */
export async function beginReplay(
  transaction: Transaction,
  { spec, total }: { readonly spec: ReplaySpec; readonly total: number | null },
  { runtime, actor, reason }: Beginning,
): Promise<Job> {
  const [id, now] = [runtime.id(), await transaction.timers.now()]
  const job: Job = {
    id,
    kind: replayKind,
    state: 'running',
    spec: JSON.stringify(spec),
    progress: JSON.stringify(notReplayed(spec.filter)),
    total,
    next: 0,
    version: 1,
    created: now,
    updated: now,
    actor: actorText(actor),
    error: null,
  }
  await transaction.jobs.save(job, 0)
  const what = JSON.parse(JSON.stringify(spec)) as Record<string, JsonValue>
  const details = { kind: replayKind, total, ...what }
  await recordAct(transaction, runtime, { actor, action: 'job.start', target: id, details, reason })
  return job
}
