/**
 * What a redrive is asked to do, and how far it has come: what its job's row says, and one turn of it.
 */
import type { Transaction } from '../ports/database.ts'
import type { LetterFilter } from '../ports/dead-letters.ts'
import type { Job } from '../ports/jobs.ts'

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

/** The search for one that can go first: what waits behind a parked message cannot. */
export interface Search {
  /** The last letter that was looked at; empty: none yet. */
  readonly after: string
  /** The first that waits, and the letter of what it waits behind. */
  readonly behind: { readonly letter: string; readonly by: string } | null
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
  /** While one that can go first is looked for. */
  readonly search: Search | null
  /** A subscription that no running app has, if all that is left is for such; nothing goes until one has it. */
  readonly absent: string | null
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
  search: null,
  absent: null,
  proven: false,
  exhausted: false,
  forgiven: 0,
}

/** Also of a job that an older version has begun. */
export const progressOf = ({ progress }: Pick<Job, 'progress'>): RedriveProgress => ({
  ...noProgress,
  ...(JSON.parse(progress) as Partial<RedriveProgress>),
})

/** Of a job that is to go on: what failed so far does not count again, and one that can go first is looked for anew. */
export function forgive(progress: string): string {
  const before = progressOf({ progress })
  return JSON.stringify({ ...before, forgiven: before.failed, search: null, absent: null })
}

/** A job in the transaction of its next batch. */
export interface Turn {
  readonly transaction: Transaction
  readonly job: Job
  readonly spec: RedriveSpec
  readonly now: number
}

/** What was parked later is another failure, and what failed again comes to no second try. */
const lastOf = ({ filter, until }: RedriveSpec, { created }: Pick<Job, 'created'>): number =>
  Math.min(filter.until ?? Infinity, until ?? created)

/** The letters that are left to send. */
export const leftOf = (
  spec: RedriveSpec,
  job: Pick<Job, 'created'>,
): RedriveFilter & { readonly state: 'parked' } => ({
  ...spec.filter,
  state: 'parked',
  until: lastOf(spec, job),
})

/** Letters per transaction. */
export const batch = 200
/** Groups of letters are few: they fail in few ways. */
const mostGroups = 100_000

/** Which subscriptions the letters are for, in order. */
export async function subscriptionsOf(
  { deadLetters }: Transaction,
  filter: LetterFilter,
): Promise<readonly string[]> {
  const groups = await deadLetters.groups({ ...filter, limit: mostGroups })
  return [...new Set(groups.map(({ subscription }) => subscription))].sort()
}

/** When the last of the letters was parked, Unix milliseconds; 0 if there is none. */
export async function lastTimeOf(
  { deadLetters }: Transaction,
  filter: LetterFilter,
): Promise<number> {
  const groups = await deadLetters.groups({ ...filter, limit: mostGroups })
  return groups.reduce((latest, { last }) => Math.max(latest, last), 0)
}
