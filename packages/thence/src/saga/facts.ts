/**
 * What a saga records in its stream, and the state that follows from it. Facts are decisions that were taken, so that
 * a changed definition never rewrites what an instance has already done.
 */
import type { JsonValue } from '../message/json.ts'
import { deepFreeze } from '../message/json.ts'
import type { SagaMark } from '../message/message.ts'
import type { Seen } from './seen.ts'

/** The events of a saga, by name; the types are `name.fact`. Commands it sent stand between them. */
export interface SagaFacts {
  readonly started: Seen
  readonly stepDone: { readonly step: string } & Seen
  readonly stepFailed: { readonly step: string; readonly attempt: number } & Seen
  readonly stepTimedOut: { readonly step: string; readonly attempt: number }
  readonly stepUndone: { readonly step: string }
  readonly compensating: { readonly reason: string }
  readonly reacted: Reacted
  /** Written by the clock; it stands in the stream `name.timers`. */
  readonly timerFired: SagaTimer
  readonly finished: { readonly outcome: 'completed' | 'compensated'; readonly reason?: string }
}

/** A reaction to an event, or to a timer that fired. */
export interface Reacted extends Seen {
  /** It was a timer: `type` is its name. */
  readonly fired?: true
  /** Only if the reaction gave one. */
  readonly state?: JsonValue
  /** The timer that it cancelled, and the one that it set after that. */
  readonly cancelTimer?: string
  readonly timer?: string
}

/** Which timer fired. `undo`: an `undone` did not come; `timer`: one that a reaction has set, by name in `step`. */
export interface SagaTimer {
  readonly key: string
  readonly kind: 'timeout' | 'retry' | 'undo' | 'timer'
  readonly step: string
  /** Of a reaction's timer: the version of the stream when it was set, which tells it from those set before. */
  readonly attempt: number
}

/** `unknown`: it timed out, so it may have worked. */
export type StepStatus = 'doing' | 'failed' | 'unknown' | 'done' | 'undoing' | 'undone'
export type SagaStatus = 'new' | 'running' | 'compensating' | 'completed' | 'compensated'

export interface SagaState {
  readonly status: SagaStatus
  /** The stream's version. */
  readonly version: number
  /** Steps that were begun, in order. */
  readonly steps: readonly {
    readonly step: string
    readonly status: StepStatus
    readonly attempt: number
    /** An attempt timed out: however later ones end, it may have worked. */
    readonly unsure?: true
  }[]
  /** The last message of each type. */
  readonly seen: ReadonlyMap<string, Seen>
  /** The timers that reactions have set and that nothing has cancelled, by name, with their `attempt`. */
  readonly timers: ReadonlyMap<string, number>
  /** Why it compensates. */
  readonly reason: string | undefined
  /** What reactions keep; frozen. */
  readonly own: unknown
}

export const newState = (own: unknown): SagaState => ({
  status: 'new',
  version: 0,
  steps: [],
  seen: new Map(),
  timers: new Map(),
  reason: undefined,
  own,
})

/** A message of the stream, as far as the state depends on it. */
export interface Fact {
  readonly type: string
  readonly data: unknown
  readonly mark?: SagaMark | undefined
}

const setStep = (
  state: SagaState,
  step: string,
  to: { readonly status: StepStatus; readonly attempt?: number },
): SagaState => {
  const before = state.steps.find((one) => one.step === step)
  const unsure = to.status === 'unknown' || before?.unsure === true
  const next = {
    step,
    attempt: before?.attempt ?? 1,
    ...to,
    ...(unsure ? { unsure } : {}),
    ...(unsure && to.status === 'failed' ? { status: 'unknown' as const } : {}),
  }
  const steps =
    before === undefined
      ? [...state.steps, next]
      : state.steps.map((one) => (one.step === step ? next : one))
  return { ...state, steps }
}

const see = (state: SagaState, { id, type, schemaVersion = 1, data }: Seen): SagaState => ({
  ...state,
  seen: new Map(state.seen).set(type, { id, type, schemaVersion, data }),
})

/** A fire that no longer stands here was cancelled or replaced while it was on its way. */
const setTimers = (state: SagaState, { fired, type, cancelTimer, timer }: Reacted): SagaState => {
  if (fired === undefined && cancelTimer === undefined && timer === undefined) return state
  const timers = new Map(state.timers)
  if (fired === true) timers.delete(type)
  if (cancelTimer !== undefined) timers.delete(cancelTimer)
  if (timer !== undefined) timers.set(timer, state.version)
  return { ...state, timers }
}

type Apply<F extends keyof SagaFacts> = (state: SagaState, data: SagaFacts[F]) => SagaState

const appliers: { readonly [F in keyof SagaFacts]: Apply<F> } = {
  started: (state, data) => see({ ...state, status: 'running' }, data),
  stepDone: (state, data) => see(setStep(state, data.step, { status: 'done' }), data),
  stepFailed: (state, data) => see(setStep(state, data.step, { status: 'failed' }), data),
  stepTimedOut: (state, { step }) => setStep(state, step, { status: 'unknown' }),
  stepUndone: (state, { step }) => setStep(state, step, { status: 'undone' }),
  compensating: (state, { reason }) => ({ ...state, status: 'compensating', reason }),
  reacted: (state, data) => ({
    ...setTimers(data.fired === true ? state : see(state, data), data),
    ...(data.state === undefined ? {} : { own: deepFreeze(data.state) }),
  }),
  timerFired: (state) => state,
  finished: (state, { outcome }) => ({ ...state, status: outcome, timers: new Map() }),
}

/** The state after one more message of the stream. */
export function evolve(saga: string, state: SagaState, { type, data, mark }: Fact): SagaState {
  const next = { ...state, version: state.version + 1 }
  if (mark !== undefined)
    return setStep(next, mark.step, {
      status: mark.undo === true ? 'undoing' : 'doing',
      attempt: mark.attempt,
    })
  const fact = type.startsWith(`${saga}.`) ? type.slice(saga.length + 1) : ''
  if (!Object.hasOwn(appliers, fact)) return next
  return (appliers[fact as keyof SagaFacts] as Apply<keyof SagaFacts>)(next, data as never)
}
