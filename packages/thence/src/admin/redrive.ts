/**
 * Sending many dead letters through again: how many there are, and the job that a running app does.
 */
import type { RedriveFilter, RedriveSpec } from '../app/redrive-state.ts'
import { lastTimeOf, noProgress, redriveKind, subscriptionsOf } from '../app/redrive-state.ts'
import { ThenceError } from '../errors.ts'
import type { OptionNames } from '../message/expect.ts'
import { expectFlag, expectOptions } from '../message/expect.ts'
import type { JsonValue } from '../message/json.ts'
import type { Transaction } from '../ports/database.ts'
import { actorText } from '../store/audit.ts'
import type { DeadLetterSummary } from './dead-letters.ts'
import { requireLetter, requireSubscription, summaryOf } from './dead-letters.ts'
import type { JobView } from './jobs.ts'
import { viewJob } from './jobs.ts'
import { expectLetters, letterNames } from './letter-filter.ts'
import type { On } from './on.ts'
import { audited, runtimeOf } from './on.ts'
import { absentOf } from './waiting.ts'

export interface RedrivePlan {
  /** How many parked letters match. */
  readonly total: number
  /** The first few of them, by id. */
  readonly sample: readonly DeadLetterSummary[]
  /** Of whom they are and whom no running app has, such as `handler mail`: theirs wait. None, if no app runs at all. */
  readonly absent: readonly string[]
}

export interface RedriveOptions extends RedriveFilter {
  /** At most so many; default: all that match. */
  readonly limit?: number
  /** Whether one goes alone first, and the others only when it went through; default true. */
  readonly canary?: boolean
  /** At most so many a second; default: as fast as they go through. */
  readonly rate?: number
  /** It stops when so many have failed again; default 5. */
  readonly stopAfter?: number
  /** It stops when more than this share of at least ten have failed again; default 0.2. */
  readonly stopShare?: number
  /** At most so many are on their way at once; default 500. */
  readonly inFlight?: number
  /** Why; kept in the audit log. */
  readonly reason?: string
}

const sampleSize = 5
const mostIds = 1000

const { state: _state, job: _job, ...filterNames } = letterNames
const optionNames: OptionNames<RedriveOptions> = {
  ...filterNames,
  limit: true,
  canary: true,
  rate: true,
  stopAfter: true,
  stopShare: true,
  inFlight: true,
  reason: true,
}

/**
 * What is misspelt would be left out, and more be matched than was meant.
 * @throws NOT_FOUND (the subscription, or one of the letters that are named), CONFIG_INVALID
 */
export const checkFilter = async (
  transaction: Transaction,
  filter: RedriveFilter,
): Promise<void> => {
  expectOptions('the filter of dead letters', filter, filterNames)
  expectLetters(filter)
  const { subscription, ids = [] } = filter
  if (subscription !== undefined) await requireSubscription(transaction, subscription)
  if (ids.length > mostIds)
    throw new ThenceError(
      'CONFIG_INVALID',
      `${ids.length} ids are too many at once; give at most ${mostIds}, or a filter.`,
    )
  for (const id of ids) await requireLetter(transaction, id)
}

/** How many parked letters match. */
export const parkedCount = async (
  { deadLetters }: Transaction,
  filter: RedriveFilter,
): Promise<number> => (await deadLetters.counts({ ...filter, state: 'parked' })).parked

/**
 * What a redrive would send through again; changes nothing.
 * @throws NOT_FOUND (the subscription, or one of the letters that are named), CONFIG_INVALID
 */
export function planRedrive({ database }: On, filter: RedriveFilter = {}): Promise<RedrivePlan> {
  return database.read(async (transaction) => {
    await checkFilter(transaction, filter)
    const wanted = { ...filter, state: 'parked', limit: sampleSize } as const
    const letters = await transaction.deadLetters.list(wanted)
    const names = await subscriptionsOf(transaction, { ...filter, state: 'parked' })
    return {
      total: await parkedCount(transaction, filter),
      sample: letters.map(summaryOf),
      absent: await absentOf(transaction, names),
    }
  })
}

const checkNumber = (name: string, value: number, most: number): void => {
  const isRight = value > 0 && value <= most && (most === 1 || Number.isSafeInteger(value))
  if (isRight) return
  const form = most === 1 ? 'a share between 0 and 1' : 'a whole number from 1'
  throw new ThenceError('CONFIG_INVALID', `${name} of the redrive is ${value}; give ${form}.`)
}

const specOf = ({
  limit,
  canary = true,
  rate,
  stopAfter = 5,
  stopShare = 0.2,
  inFlight = 500,
  reason: _reason,
  ...filter
}: RedriveOptions): RedriveSpec => {
  const most = Number.MAX_SAFE_INTEGER
  expectFlag('canary of the redrive', canary)
  checkNumber('limit', limit ?? 1, most)
  checkNumber('rate', rate ?? 1, most)
  checkNumber('stopAfter', stopAfter, most)
  checkNumber('stopShare', stopShare, 1)
  checkNumber('inFlight', inFlight, most)
  return {
    filter,
    limit: limit ?? null,
    canary,
    rate: rate ?? null,
    stopAfter,
    stopShare,
    inFlight,
  }
}

/** No letter matches. */
export const noneParked = (): ThenceError =>
  new ThenceError('NOT_FOUND', 'No parked dead letter matches. See: thence dead-letters list.')

/** When the last of them was parked, which may be later than now: the clock may have been set back, or it was that of another process. */
export const lastParked = (transaction: Transaction, filter: RedriveFilter): Promise<number> =>
  lastTimeOf(transaction, { ...filter, state: 'parked' })

/**
 * Begins a job that sends parked messages through again. Running apps do it, a batch at a time; if none runs, the next one
 * does. One message goes first, alone; then ten at a time, then twice as many as went through, up to `inFlight`. It stops
 * by itself when they fail again. Letters that are parked after its beginning are not its own.
 * @throws NOT_FOUND (the subscription, a letter that is named, or no letter that matches), CONFIG_INVALID
 */
export async function startRedrive(on: On, options: RedriveOptions = {}): Promise<JobView> {
  expectOptions('startRedrive', options, optionNames)
  const spec = specOf(options)
  return on.database.transact(async (transaction) => {
    await checkFilter(transaction, spec.filter)
    const all = await parkedCount(transaction, spec.filter)
    if (all === 0) throw noneParked()
    const [id, now] = [runtimeOf(on).id(), await transaction.timers.now()]
    const until = Math.max(now, await lastParked(transaction, spec.filter))
    const job = {
      id,
      kind: redriveKind,
      state: 'running',
      spec: JSON.stringify({ ...spec, until }),
      progress: JSON.stringify(noProgress),
      total: Math.min(all, spec.limit ?? all),
      next: 0,
      version: 1,
      created: now,
      updated: now,
      actor: actorText(on.actor),
      error: null,
    } as const
    await transaction.jobs.save(job, 0)
    const what = JSON.parse(JSON.stringify(spec)) as Record<string, JsonValue>
    const details = { kind: redriveKind, total: job.total, ...what }
    const { reason } = options
    await audited(on, transaction, { action: 'job.start', target: id, details, reason })
    return viewJob(transaction, job)
  })
}
