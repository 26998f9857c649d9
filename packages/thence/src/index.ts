/**
 * The front door: messages, aggregates, projections, handlers, sagas, and the app that runs them. Adapters have doors
 * of their own (`thence/sqlite`, `thence/memory`).
 */
export { App } from './app/app.ts'
export type { AppendOptions } from './app/append.ts'
export type { AskOptions } from './app/ask.ts'
export { app, AppBuilder } from './app/builder.ts'
export type { StopOptions } from './app/life.ts'
export type { AppOptions } from './app/options.ts'
export type { Part } from './app/parts.ts'
export type { RebuildOptions } from './app/rebuild.ts'
export type { Rebuilt, RebuildProgress } from './app/rebuilt.ts'
export type { Replayed, ReplayOptions } from './app/replay.ts'
export type { ReplayRequest } from './app/replay-plan.ts'
export type { SettingOptions } from './app/settings.ts'
export type { Schedules } from './app/schedules.ts'
export { systemRuntime } from './app/system-runtime.ts'
export type { TransactionOptions, TransactionResult } from './app/transact.ts'
export type { AppTransaction } from './app/transaction.ts'
export type { WithinTransaction } from './app/within.ts'
export type { UntilOptions } from './app/until.ts'
export type {
  AnyBusHandler,
  Bus,
  BusHandler,
  BusOptions,
  EmittedOf,
  FailureContext,
  OnError,
  OnOptions,
  Unsubscribe,
  WaitOptions,
} from './bus/bus.ts'
export { bus } from './bus/bus.ts'
export type { Aggregate, AggregateOptions, Decision, SnapshotOptions } from './decide/aggregate.ts'
export { aggregate, reject } from './decide/aggregate.ts'
export type { ErrorCode, ErrorKind } from './errors.ts'
export { errorTable, isThenceError, ThenceError } from './errors.ts'
export type { BreakerOptions } from './handle/breaker.ts'
export type { BudgetOptions } from './handle/budget.ts'
export type { Classify } from './handle/classify.ts'
export type { HandlerContext } from './handle/context.ts'
export type { FailurePolicy } from './handle/failure-policy.ts'
export type { Handler, HandlerFunction, HandlerOptions, ReplayMode } from './handle/handler.ts'
export { handler } from './handle/handler.ts'
export type { RateOptions } from './handle/rate.ts'
export type { RetryOptions, RetryPolicy } from './handle/retry.ts'
export type { Duration } from './internal/duration.ts'
export type { AppendLimits } from './store/lane.ts'
export type { When } from './internal/when.ts'
export type {
  AnyDefinition,
  CommandDefinition,
  DataOf,
  EventDefinition,
  InputOf,
} from './message/define.ts'
export { command, event } from './message/define.ts'
export type { JsonValue } from './message/json.ts'
export type {
  CommandMessage,
  EventMessage,
  Issued,
  MessageOptions,
  Metadata,
  Recorded,
} from './message/message.ts'
export type { QueryDefinition, QueryMessage } from './message/query.ts'
export { query } from './message/query.ts'
export type { Schema } from './message/schema.ts'
export { plain } from './message/schema.ts'
export type { MessageView } from './message/view.ts'
export type { Figures } from './observe/figures.ts'
export type { Distribution } from './observe/histogram.ts'
export type { Logger, LogLevel } from './observe/log.ts'
export type { Lag, Metrics, SizeReading } from './observe/metrics.ts'
export type { Listener, Signal, SignalName } from './observe/signals.ts'
export type { Database, OwnTransaction } from './ports/database.ts'
export type { AppendCondition, Expected, Query } from './ports/events.ts'
export type { Runtime } from './ports/runtime.ts'
export type { Documents, ListOptions } from './project/documents.ts'
export { documents } from './project/documents.ts'
export type { Projection, ProjectionOptions, ReadOnlyView } from './project/projection.ts'
export { projection } from './project/projection.ts'
export type { TableName, Tables, TablesOptions, VersionedTablesOptions } from './project/tables.ts'
export { tables } from './project/tables.ts'
export type { TableKeys, ViewDefinition } from './project/view.ts'
export type { Archive, RetentionOptions, RetentionRule } from './retain/policy.ts'
export type { Reaction, Saga, SagaOptions } from './saga/saga.ts'
export { saga } from './saga/saga.ts'
export type { CatchUp } from './schedule/catch-up.ts'
export type { Schedule, ScheduleOptions, Slot } from './schedule/schedule.ts'
export { schedule } from './schedule/schedule.ts'
export type {
  ScheduleState,
  TimerKind,
  TimersOptions,
  TimersPage,
  TimerState,
  TimerView,
} from './schedule/view.ts'
export type { SagaContext, Step, StepOptions } from './saga/step.ts'
export { step } from './saga/step.ts'
export type { Scheduled } from './store/later.ts'
export type { ReadStreamOptions } from './store/stream-pages.ts'
export type { AppendResult } from './store/writer.ts'
