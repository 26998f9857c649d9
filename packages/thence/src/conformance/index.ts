/**
 * The door `thence/conformance`: every promise of the ports as a case that any runner can run on any adapter, and the torture kit, for any
 * store that has a feed of all streams.
 */
import { audit } from './audit.ts'
import type { Case } from './case.ts'
import { checkpoints } from './checkpoints.ts'
import { checkpointsHeld } from './checkpoints-held.ts'
import { database } from './database.ts'
import { deadLetters } from './dead-letters.ts'
import { documents } from './documents.ts'
import { eventsAppend } from './events-append.ts'
import { eventsBeside } from './events-beside.ts'
import { eventsBytes } from './events-bytes.ts'
import { eventsCondition } from './events-condition.ts'
import { eventsContents } from './events-contents.ts'
import { eventsOnce } from './events-once.ts'
import { eventsRace } from './events-race.ts'
import { eventsRead } from './events-read.ts'
import { eventsTombstone } from './events-tombstone.ts'
import { eventsTrim } from './events-trim.ts'
import { eventsVerdict } from './events-verdict.ts'
import { inbox } from './inbox.ts'
import { isolation } from './isolation.ts'
import { jobs } from './jobs.ts'
import { leases } from './leases.ts'
import { listening } from './listening.ts'
import { retries } from './retries.ts'
import { retriesSettling } from './retries-settling.ts'
import { retriesShared } from './retries-shared.ts'
import { sizesCases } from './sizes.ts'
import { snapshots } from './snapshots.ts'
import { sql } from './sql.ts'
import { timers } from './timers.ts'
import { timersFailing } from './timers-failing.ts'
import { transactionEnd } from './transaction-end.ts'
import { transactions } from './transactions.ts'

export {
  type Case,
  type Dialect,
  type Make,
  makeFrom,
  type MakeOptions,
  type Store,
  type Subject,
} from './case.ts'
export { ManualRuntime } from './manual-runtime.ts'
export { type RuntimeCase, runtimeCases, type RuntimeSubject } from './runtime.ts'

export { type TortureDatabase, tortureDatabase } from './torture/database.ts'
export type { TortureOwn } from './torture/own.ts'
export type { TortureProblem, TortureProblemKind } from './torture/judge.ts'
export {
  resultLines,
  summaryLine,
  tortureLines,
  type TortureReport,
  type TortureResult,
} from './torture/report.ts'
export type { TortureLimits } from './torture/scene.ts'
export type {
  TortureAnswer,
  TortureAppend,
  TortureClient,
  TortureEvent,
  TortureMake,
  TortureReader,
  TortureSavepoint,
  TortureSession,
  TortureSessions,
  TortureSubject,
  TortureTransaction,
} from './torture/subject.ts'
export { torture, type TortureOptions, tortureTraps } from './torture/torture.ts'
export type { TortureSizes } from './torture/trap.ts'

/** All cases for a database adapter. */
export const cases: readonly Case[] = [
  ...eventsAppend,
  ...eventsContents,
  ...eventsVerdict,
  ...eventsOnce,
  ...eventsCondition,
  ...eventsRead,
  ...eventsBeside,
  ...eventsBytes,
  ...eventsTrim,
  ...eventsTombstone,
  ...eventsRace,
  ...checkpoints,
  ...checkpointsHeld,
  ...leases,
  ...retries,
  ...retriesSettling,
  ...retriesShared,
  ...deadLetters,
  ...inbox,
  ...timers,
  ...timersFailing,
  ...snapshots,
  ...documents,
  ...sizesCases,
  ...audit,
  ...jobs,
  ...sql,
  ...transactions,
  ...isolation,
  ...transactionEnd,
  ...listening,
  ...database,
]
