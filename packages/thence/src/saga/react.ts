/**
 * The rules of a saga, pure: a state and a message give facts, commands and timers. Forward step by step; when a step
 * is given up, backward in reverse order; after the pivot only forward.
 */
import { fullJitter } from '../internal/backoff.ts'
import { milliseconds } from '../internal/duration.ts'
import { ThenceError } from '../errors.ts'
import type { JsonValue } from '../message/json.ts'
import type { Recorded } from '../message/message.ts'
import { checkName } from '../message/name.ts'
import type { Reacted, SagaState, SagaTimer } from './facts.ts'
import type { Reaction, Saga } from './saga.ts'
import { kept, seenOf } from './seen.ts'
import type { Step } from './step.ts'
import type { Moment, TurnResult } from './turn.ts'
import { Turn } from './turn.ts'

/** The step that is being done or waits for its next attempt. */
const current = ({ saga, state }: Turn): Step | undefined => {
  const last = state.steps.at(-1)
  if (state.status !== 'running' || last === undefined || last.status === 'done') return undefined
  return saga.steps.find(({ name }) => name === last.step)
}

const attemptOf = ({ state }: Turn, { name }: Step): number =>
  state.steps.find(({ step }) => step === name)?.attempt ?? 0

const begin = (turn: Turn, step: Step, attempt: number): void => {
  turn.command(step, step.do, { attempt })
  if (step.timeout !== undefined)
    turn.set({ kind: 'timeout', step: step.name, attempt }, step.timeout)
}

const forward = (turn: Turn): void => {
  const begun = new Set(turn.state.steps.map(({ step }) => step))
  const next = turn.saga.steps.find(({ name }) => !begun.has(name))
  if (next !== undefined) begin(turn, next, 1)
  else if (turn.saga.steps.length > 0) turn.ends('completed')
}

const pivotPassed = ({ saga, state }: Turn): boolean =>
  saga.steps.some(
    ({ name, pivot }) =>
      pivot && state.steps.some(({ step, status }) => step === name && status === 'done'),
  )

/** Takes back what was done or may have been done, last first; waits where `undone` is asked for. */
const backward = (turn: Turn): void => {
  for (const { step: name, status } of turn.state.steps.toReversed()) {
    const step = turn.saga.steps.find((one) => one.name === name)
    if (status === 'undoing') return
    if (step?.undo === undefined || (status !== 'done' && status !== 'unknown')) continue
    takeBack(turn, step, 1)
    if (step.undone !== undefined) return
    turn.record('stepUndone', { step: name })
  }
  turn.ends('compensated')
}

/** Compensation only goes forward: where `undone` is asked for in time, `undo` is sent until it comes. */
const takeBack = (turn: Turn, step: Step, attempt: number): void => {
  const { name, undo, undone, timeout, retry } = step
  if (undo === undefined) return
  turn.command(step, undo, { attempt, undo: true })
  if (undone === undefined || timeout === undefined) return
  const pause = fullJitter(retry, attempt, turn.moment.random)
  turn.set({ kind: 'undo', step: name, attempt }, timeout + pause)
}

const giveUp = (turn: Turn, reason: string): void => {
  turn.ends(undefined)
  turn.record('compensating', { reason })
  backward(turn)
}

/** After a failed attempt: again later, or give up; never give up after the pivot. */
const again = (turn: Turn, step: Step, reason: string): void => {
  const attempt = attemptOf(turn, step)
  if (step.timeout !== undefined) turn.cancel({ kind: 'timeout', step: step.name })
  if (attempt >= step.retry.attempts && !pivotPassed(turn)) return giveUp(turn, reason)
  const delay = fullJitter(step.retry, attempt, turn.moment.random)
  turn.set({ kind: 'retry', step: step.name, attempt: attempt + 1 }, delay)
}

const cancelTimers = (turn: Turn, step: Step): void => {
  // Only a step that was given up for now has a timer for its next attempt.
  if (statusOf(turn, step) !== 'doing') turn.cancel({ kind: 'retry', step: step.name })
  if (step.timeout !== undefined) turn.cancel({ kind: 'timeout', step: step.name })
}

const finish = (turn: Turn, step: Step, message: Recorded): void => {
  cancelTimers(turn, step)
  turn.record('stepDone', { step: step.name, ...seenOf(message) })
  forward(turn)
}

const fail = (turn: Turn, step: Step, message: Recorded): void => {
  const attempt = attemptOf(turn, step)
  turn.record('stepFailed', { step: step.name, attempt, ...seenOf(message) })
  again(turn, step, `${step.name}: ${message.type}`)
}

const statusOf = ({ state }: Turn, step: Step): string | undefined =>
  state.steps.find((one) => one.step === step.name)?.status

/** Whether the message moved a step. */
const stepped = (turn: Turn, message: Recorded): boolean => {
  const { type } = message
  const now = current(turn)
  if (now?.done.type === type) finish(turn, now, message)
  else if (
    now !== undefined &&
    statusOf(turn, now) === 'doing' &&
    now.failed.some((one) => one.type === type)
  )
    fail(turn, now, message)
  else return undone(turn, message)
  return true
}

const undone = (turn: Turn, { type }: Recorded): boolean => {
  if (turn.state.status !== 'compensating') return false
  const step = turn.saga.steps.find(
    (one) => one.undone?.type === type && statusOf(turn, one) === 'undoing',
  )
  if (step === undefined) return false
  if (step.timeout !== undefined) turn.cancel({ kind: 'undo', step: step.name })
  turn.record('stepUndone', { step: step.name })
  backward(turn)
  return true
}

const asList = <T>(value: T | readonly T[] | undefined): readonly T[] => {
  if (value === undefined) return []
  return Array.isArray(value) ? (value as readonly T[]) : [value as T]
}

/** @throws CONFIG_INVALID */
const onTimerOf = ({ saga }: Turn, timer: string): NonNullable<Saga['onTimer']> => {
  if (saga.onTimer !== undefined) return saga.onTimer
  throw new ThenceError(
    'CONFIG_INVALID',
    `Saga ${saga.name} has a timer ${timer} but no onTimer that says what happens when it is due.`,
  )
}

const setTimer = (turn: Turn, { name, in: delay }: NonNullable<Reaction<unknown>['timer']>) => {
  checkName(`The timer of saga ${turn.saga.name}`, name)
  onTimerOf(turn, name)
  const timer = { kind: 'timer', step: name, attempt: turn.state.version } as const
  turn.set(timer, milliseconds(`timer ${name}`, delay))
}

const enact = (turn: Turn, reaction: Reaction<unknown> | undefined, by: Reacted): void => {
  if (reaction === undefined) return
  const { timer, cancelTimer, compensate } = reaction
  const state = kept(turn.saga.name, reaction.state) as JsonValue | undefined
  turn.record('reacted', {
    ...by,
    ...(state === undefined ? {} : { state }),
    ...(cancelTimer === undefined ? {} : { cancelTimer }),
    ...(timer === undefined ? {} : { timer: timer.name }),
  })
  if (cancelTimer !== undefined) turn.cancel({ kind: 'timer', step: cancelTimer })
  // Right after the fact: its version is the timer's number.
  if (timer !== undefined) setTimer(turn, timer)
  for (const command of asList(reaction.send)) turn.send(command)
  if (turn.state.status !== 'running') return
  if (reaction.complete === true) turn.ends('completed')
  else if (compensate !== undefined && !pivotPassed(turn)) stop(turn, compensate)
}

/** A step in flight may have worked already: it is taken back too. */
const stop = (turn: Turn, reason: string): void => {
  const now = current(turn)
  if (now !== undefined) cancelTimers(turn, now)
  if (now !== undefined && statusOf(turn, now) === 'doing')
    turn.record('stepTimedOut', { step: now.name, attempt: attemptOf(turn, now) })
  giveUp(turn, reason)
}

/** A fire that was on its way when its timer was cancelled or set anew does not count. */
const rang = (turn: Turn, { step: name, attempt }: SagaTimer, id: string): void => {
  if (turn.state.timers.get(name) !== attempt) return
  const reaction = onTimerOf(turn, name)(turn.context(1), name)
  enact(turn, reaction, { id, type: name, data: null, fired: true })
}

const undoAgain = (turn: Turn, { step: name, attempt }: SagaTimer): void => {
  const step = turn.saga.steps.find((one) => one.name === name)
  if (step === undefined || statusOf(turn, step) !== 'undoing') return
  if (attempt === attemptOf(turn, step)) takeBack(turn, step, attempt + 1)
}

const fired = (turn: Turn, timer: SagaTimer, id: string): void => {
  const { kind, step: name, attempt } = timer
  if (kind === 'timer') return rang(turn, timer, id)
  if (kind === 'undo') return undoAgain(turn, timer)
  const step = current(turn)
  if (step?.name !== name) return
  if (kind === 'retry' && attempt === attemptOf(turn, step) + 1) begin(turn, step, attempt)
  else if (
    kind === 'timeout' &&
    statusOf(turn, step) === 'doing' &&
    attempt === attemptOf(turn, step)
  ) {
    turn.record('stepTimedOut', { step: name, attempt })
    again(turn, step, `${name}: timed out`)
  }
}

const ended = ({ status }: SagaState): boolean => status === 'completed' || status === 'compensated'

/** What the saga does with a message. Empty if it has nothing to do with it, or has ended. */
export function react(
  saga: Saga,
  state: SagaState,
  given: { readonly key: string; readonly message: Recorded; readonly moment: Moment },
): TurnResult {
  const { message } = given
  const turn = new Turn(saga, state, given)
  if (state.status === 'new') {
    if (message.type !== saga.startedBy.type) return turn.result()
    turn.record('started', seenOf(message))
    forward(turn)
  } else if (!ended(state)) {
    if (message.type === saga.facts.timerFired.type)
      fired(turn, message.data as SagaTimer, message.id)
    else stepped(turn, message)
  }
  const reaction = saga.on.get(message.type)
  if (reaction !== undefined && !ended(state))
    enact(turn, reaction.run(turn.context(1), message), seenOf(message))
  turn.close()
  return turn.result()
}
