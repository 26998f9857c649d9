/**
 * What a saga has written, as signals.
 */
import type { Message } from '../message/message.ts'
import { sagaMark } from '../message/message.ts'
import type { SagaSignal } from '../observe/saga-signals.ts'
import type { Signals } from '../observe/signals.ts'
import type { SagaFacts, SagaState } from './facts.ts'
import type { Saga } from './saga.ts'
import type { TurnResult } from './turn.ts'

type StepFact = 'stepDone' | 'stepFailed' | 'stepTimedOut' | 'stepUndone'
type StepStatus = Extract<SagaSignal, { readonly name: 'saga-stepped' }>['status']

const statuses: { readonly [F in StepFact]: StepStatus } = {
  stepDone: 'done',
  stepFailed: 'failed',
  stepTimedOut: 'timed-out',
  stepUndone: 'undone',
}

/** Whether anyone listens to what a turn may have to tell; most are only steps. */
export const wantsTurn = (
  signals: Signals,
  { status }: Pick<SagaState, 'status'>,
  { ended }: Pick<TurnResult, 'ended'>,
): boolean =>
  signals.wants('saga-stepped') ||
  (status === 'new' && signals.wants('saga-started')) ||
  (ended && signals.wants('saga-ended'))

/** @param lasted milliseconds since the instance was started. */
export function signalsOf(
  { name: saga }: Pick<Saga, 'name'>,
  messages: readonly Message[],
  { key, lasted }: { readonly key: string; readonly lasted: number },
): readonly SagaSignal[] {
  const told: SagaSignal[] = []
  for (const { type, data, [sagaMark]: mark } of messages) {
    const fact = type.startsWith(`${saga}.`) ? type.slice(saga.length + 1) : ''
    if (mark !== undefined) {
      const status = mark.undo === true ? 'undoing' : 'doing'
      told.push({ name: 'saga-stepped', saga, key, step: mark.step, status })
    } else if (fact === 'started') told.push({ name: 'saga-started', saga, key })
    else if (fact === 'finished') {
      const { outcome } = data as SagaFacts['finished']
      told.push({ name: 'saga-ended', saga, key, outcome, lasted })
    } else if (Object.hasOwn(statuses, fact)) {
      const { step } = data as SagaFacts[StepFact]
      told.push({ name: 'saga-stepped', saga, key, step, status: statuses[fact as StepFact] })
    }
  }
  return told
}
