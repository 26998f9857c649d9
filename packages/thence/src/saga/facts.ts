/**
 * What a saga records in its stream, and the state that follows from it. Facts are decisions that were taken, so that
 * a changed definition never rewrites what an instance has already done.
 */
import type { JsonValue } from '../message/json.ts'
import type { SagaMark } from '../message/message.ts'

/** A message that reached the saga. */
export interface Seen {
  readonly id: string
  readonly type: string
  readonly data: JsonValue
}

/** The events of a saga, by name; the types are `name.fact`. Commands it sent stand between them. */
export interface SagaFacts {
  readonly started: Seen
  readonly stepDone: { readonly step: string } & Seen
  readonly stepFailed: { readonly step: string; readonly attempt: number } & Seen
  readonly stepTimedOut: { readonly step: string; readonly attempt: number }
  readonly stepUndone: { readonly step: string }
  readonly compensating: { readonly reason: string }
  /** A reaction to an event, or to a timer (`type` is then its name); `state` only if it changed. */
  readonly reacted: { readonly state?: JsonValue } & Seen
  /** Written by the clock; it stands in the stream `name.timers`. */
  readonly timerFired: SagaTimer
  readonly finished: { readonly outcome: 'completed' | 'compensated'; readonly reason?: string }
}

/** Which timer fired. `timer`: one that a reaction has set, by name in `step`. */
export interface SagaTimer {
  readonly key: string
  readonly kind: 'timeout' | 'retry' | 'timer'
  readonly step: string
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
  /** The data of the last message of each type. */
  readonly seen: ReadonlyMap<string, JsonValue>
  /** Why it compensates. */
  readonly reason: string | undefined
  /** What reactions keep. */
  readonly own: unknown
}

export const newState = (own: unknown): SagaState => ({
  status: 'new',
  version: 0,
  steps: [],
  seen: new Map(),
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

const see = (state: SagaState, { type, data }: Seen): SagaState => ({
  ...state,
  seen: new Map(state.seen).set(type, data),
})

type Apply<F extends keyof SagaFacts> = (state: SagaState, data: SagaFacts[F]) => SagaState

const appliers: { readonly [F in keyof SagaFacts]: Apply<F> } = {
  started: (state, data) => see({ ...state, status: 'running' }, data),
  stepDone: (state, data) => see(setStep(state, data.step, { status: 'done' }), data),
  stepFailed: (state, data) => see(setStep(state, data.step, { status: 'failed' }), data),
  stepTimedOut: (state, { step }) => setStep(state, step, { status: 'unknown' }),
  stepUndone: (state, { step }) => setStep(state, step, { status: 'undone' }),
  compensating: (state, { reason }) => ({ ...state, status: 'compensating', reason }),
  reacted: (state, data) => ({
    ...see(state, data),
    ...('state' in data ? { own: data.state } : {}),
  }),
  timerFired: (state) => state,
  finished: (state, { outcome }) => ({ ...state, status: outcome }),
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
