/**
 * `thence/admin`: what the `thence` command calls, for your own tools. It needs an open database and none of the app's
 * code. Reading changes nothing; every act is one transaction.
 */
export type { AuditOptions, AuditView } from './audit.ts'
export { audit } from './audit.ts'
export type { CopiedStore, CopyStoreOptions } from './copy.ts'
export { copyStore } from './copy.ts'
export type { CopiedContents, CopyProgress } from './copy-tables.ts'
export type { CauseMark } from './marks.ts'
export type { CauseGroup, CauseLine, CauseMessage, Causes, CauseSkipped } from './causes.ts'
export { causes } from './causes.ts'
export type {
  DeadLetterGroup,
  DeadLetterGroupsOptions,
  DeadLettersOptions,
  DeadLetterSummary,
  DeadLetterView,
} from './dead-letters.ts'
export { deadLetter, deadLetterGroups, deadLetters } from './dead-letters.ts'
export type { Diagnosis } from './doctor.ts'
export { diagnosis } from './doctor.ts'
export type { Finding, FindingState } from '../ports/diagnosis.ts'
export type { JobsOptions, JobView } from './jobs.ts'
export { cancelJob, job, jobs, pauseJob, resumeJob } from './jobs.ts'
export type { Attention } from './attention.ts'
export type { Status } from './inspect.ts'
export { status } from './inspect.ts'
export type {
  EventsOptions,
  EventsPage,
  StreamOptions,
  StreamsOptions,
  StreamView,
} from './messages.ts'
export { events, message, stream, streams } from './messages.ts'
export type { MessageView } from '../message/view.ts'
export type { On } from './on.ts'
export type { ProcessState, ProcessSummary, StoreMetrics } from './processes.ts'
export { metrics } from './processes.ts'
export type { Acted, ActOptions, Edited, EditOptions, Redriven } from './operate.ts'
export type { DiscardManyOptions } from './discard-many.ts'
export { discardMany, planDiscard } from './discard-many.ts'
export { discard, edit, redrive, restore } from './operate.ts'
export type { RedriveOptions, RedrivePlan } from './redrive.ts'
export { planRedrive, startRedrive } from './redrive.ts'
export type { RetainOptions, RetentionView } from './retention.ts'
export { retain, retention } from './retention.ts'
export type {
  OpenSagas,
  SagasOptions,
  SagaStep,
  SagaSummary,
  SagaTimerView,
  SagaView,
} from './sagas.ts'
export { saga, sagas } from './sagas.ts'
export { sizes } from './sizes.ts'
export type { DroppedTypes } from './types.ts'
export { dropTypes } from './types.ts'
export type { ActedOn } from '../schedule/operate.ts'
export type {
  ScheduleState,
  TimerKind,
  TimersOptions,
  TimersPage,
  TimerState,
  TimerView,
} from '../schedule/view.ts'
export type { ScheduleActOptions, TimerDetails, TimerMessage, UpcomingSlot } from './schedules.ts'
export { cancelSchedule, fireSchedule, resumeSchedule, schedule, schedules } from './schedules.ts'
export type { SettingOptions, SettingsView } from './settings.ts'
export { pause, resume, setPolicy } from './settings.ts'
export type { ReplayPlan } from './replay.ts'
export { planReplay, startReplay } from './replay.ts'
export type { ReplayRequest } from '../app/replay-plan.ts'
export type { PartitionStatus } from './partitions.ts'
export type {
  ProjectionStatus,
  SubscriptionCondition,
  SubscriptionKind,
  SubscriptionStatus,
} from './subscriptions.ts'
export { projections, subscription, subscriptions } from './subscriptions.ts'
export type { RebuildAsked, RebuildAskOptions } from './views.ts'
export { askRebuild, diffView, dropView, switchBack, switchView, view, views } from './views.ts'
