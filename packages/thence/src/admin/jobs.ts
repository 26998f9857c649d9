/**
 * Long work on the store: how far it has come, and having it wait, go on or end.
 */
import { jobKinds } from '../app/jobs.ts'
import { forgive, redriveKind } from '../app/redrive-state.ts'
import { replayKind } from '../app/replay-job.ts'
import { ThenceError } from '../errors.ts'
import type { OptionNames } from '../message/expect.ts'
import { expectOneOf } from '../message/expect.ts'
import type { JsonValue } from '../message/json.ts'
import type { Transaction } from '../ports/database.ts'
import type { Job, JobFilter, JobState } from '../ports/jobs.ts'
import type { On } from './on.ts'
import { audited, expectReason, notFound } from './on.ts'
import type { ActOptions } from './operate.ts'
import { expectListing, expectPlace } from './place.ts'
import { whyWaits } from './waiting.ts'

type Json = Readonly<Record<string, JsonValue>>

export interface JobView extends Omit<Job, 'spec' | 'progress' | 'version' | 'state'> {
  /** `waiting`: it runs, but for what `waits` says. */
  readonly state: JobState | 'waiting'
  /** What must come before it goes on, in a few words; null: nothing. */
  readonly waits: string | null
  /** What is to be done. */
  readonly spec: Json
  /** How far it has come, in the words of its kind. */
  readonly progress: Json
  /** How many of `total` have come to an end, well or not. */
  readonly ended: number
  /** Milliseconds until the end if it goes on as fast as so far; null if nobody can say, or it does not run. */
  readonly left: number | null
}

const sumOf = (progress: Json): number =>
  ['resolved', 'failed', 'skipped']
    .map((name) => progress[name])
    .reduce<number>((sum, value) => sum + (typeof value === 'number' ? value : 0), 0)

/** @param waits what it waits for; see {@link whyWaits}. */
export const jobView = ({ version: _version, ...job }: Job, waits: string | null): JobView => {
  const progress = JSON.parse(job.progress) as Json
  const ended = sumOf(progress)
  const spent = job.updated - job.created
  const state = waits === null ? job.state : 'waiting'
  const open = state === 'running' && job.total !== null ? job.total - ended : undefined
  const left =
    open === undefined || ended === 0 ? null : Math.max(0, Math.round((spent / ended) * open))
  return { ...job, state, waits, spec: JSON.parse(job.spec) as Json, progress, ended, left }
}

/** The job as it is now, in its transaction. */
export const viewJob = async (transaction: Transaction, job: Job): Promise<JobView> =>
  jobView(job, await whyWaits(transaction, job))

const viewJobs = async (
  transaction: Transaction,
  filter: JobFilter,
): Promise<readonly JobView[]> => {
  const views: JobView[] = []
  for (const one of await transaction.jobs.list(filter)) views.push(await viewJob(transaction, one))
  return views
}

export interface JobsOptions {
  readonly kind?: string
  /** `running`: those that wait, too. */
  readonly state?: JobState
  /** Only jobs before this id, so earlier ones. */
  readonly before?: string
  /** Default 50. */
  readonly limit?: number
}

const optionNames: OptionNames<JobsOptions> = {
  kind: true,
  state: true,
  before: true,
  limit: true,
}

/** All states that a job can be in. */
export const jobStates: readonly JobState[] = ['running', 'paused', 'done', 'stopped', 'cancelled']

/**
 * Jobs, the latest first.
 * @throws CONFIG_INVALID for a kind or a state that there is not, and for a `before` that no page gave
 */
export async function jobs(
  { database }: On,
  options: JobsOptions = {},
): Promise<readonly JobView[]> {
  expectListing('jobs', options, optionNames)
  const { limit = 50, ...filter } = options
  expectPlace('before', filter.before)
  if (filter.kind !== undefined) expectOneOf('kind', filter.kind, jobKinds)
  if (filter.state !== undefined) expectOneOf('state', filter.state, jobStates)
  return database.read((transaction) => viewJobs(transaction, { ...filter, limit }))
}

/** States in which a job has not come to its end. */
const open: readonly JobState[] = ['running', 'paused', 'stopped']
const openShown = 20

/** Jobs that run, wait or have stopped by themselves, the latest first; of each of these states at most twenty. */
export async function openJobsIn(transaction: Transaction): Promise<readonly JobView[]> {
  const found: JobView[] = []
  for (const state of open)
    found.push(...(await viewJobs(transaction, { state, limit: openShown })))
  return found.sort((left, right) => (left.id < right.id ? 1 : -1))
}

const nearby = 100

const requireJob = async (transaction: Transaction, id: string): Promise<Job> => {
  const found = await transaction.jobs.get(id)
  if (found !== undefined) return found
  const names = (await transaction.jobs.list({ limit: nearby })).map((one) => one.id)
  throw notFound('job', id, { names, advice: 'See: thence jobs list.' })
}

/** One job. @throws NOT_FOUND */
export function job({ database }: On, id: string): Promise<JobView> {
  return database.read(async (transaction) =>
    viewJob(transaction, await requireJob(transaction, id)),
  )
}

/** Kinds of jobs that stop by themselves after failures. */
const forgiving: ReadonlySet<string> = new Set([redriveKind, replayKind])

interface Turn {
  readonly verb: 'pause' | 'resume' | 'cancel'
  readonly from: readonly JobState[]
  readonly to: JobState
  readonly options: ActOptions
}

const doneTo = { pause: 'paused', resume: 'resumed', cancel: 'cancelled' } as const

/** `running, paused or stopped`. */
const orOf = (names: readonly string[]): string =>
  [names.slice(0, -1).join(', '), ...names.slice(-1)].filter((text) => text !== '').join(' or ')

const turn = (on: On, id: string, { verb, from, to, options }: Turn): Promise<JobView> =>
  on.database.transact(async (transaction) => {
    expectReason(`${verb}Job`, options)
    const { reason } = options
    const before = await requireJob(transaction, id)
    if (!from.includes(before.state))
      throw new ThenceError(
        'STATE_INVALID',
        `The job ${id} is ${before.state}. Only a job that is ${orOf(from)} can be ${doneTo[verb]}.`,
        { details: { id, state: before.state } },
      )
    const isForgiven = to === 'running' && forgiving.has(before.kind)
    const progress = isForgiven ? forgive(before.progress) : before.progress
    const after = {
      ...before,
      state: to,
      progress,
      error: null,
      next: 0,
      updated: await transaction.timers.now(),
    }
    const kept = to === 'running' ? after : { ...after, error: before.error }
    // Read in this very transaction: nobody came between.
    await transaction.jobs.save(kept, before.version)
    const details = { kind: before.kind, state: before.state }
    await audited(on, transaction, { action: `job.${verb}`, target: id, details, reason })
    return viewJob(transaction, kept)
  })

/** Has a running job take no further batch. @throws NOT_FOUND, STATE_INVALID */
export const pauseJob = (on: On, id: string, options: ActOptions = {}): Promise<JobView> =>
  turn(on, id, { verb: 'pause', from: ['running'], to: 'paused', options })

/**
 * Has a job go on that was paused, or that stopped by itself: failures so far do not count again.
 * @throws NOT_FOUND, STATE_INVALID
 */
export const resumeJob = (on: On, id: string, options: ActOptions = {}): Promise<JobView> =>
  turn(on, id, { verb: 'resume', from: ['paused', 'stopped'], to: 'running', options })

/** Ends a job where it is; what it has done stays done. @throws NOT_FOUND, STATE_INVALID */
export const cancelJob = (on: On, id: string, options: ActOptions = {}): Promise<JobView> =>
  turn(on, id, {
    verb: 'cancel',
    from: ['running', 'paused', 'stopped'],
    to: 'cancelled',
    options,
  })
