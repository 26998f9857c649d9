/**
 * What must hold when everything has calmed down, whatever happened before. Each check gives a sentence per problem; the
 * first words name the anomaly, as Jepsen does where it has a name for it.
 */
import { checkHandlers } from './check-handlers.ts'
import { checkJobs } from './check-jobs.ts'
import { checkProjections } from './check-projections.ts'
import { checkSagas } from './check-sagas.ts'
import { checkSchedules } from './check-schedules.ts'
import type { Outcome } from './outcome.ts'

type Check = (outcome: Outcome) => string[] | Promise<string[]>

/** Positions and versions without gaps, every id once. */
const checkLog: Check = ({ log, byId }) => {
  const problems: string[] = []
  const versions = new Map<string, number>()
  let last = 0
  for (const { position, stream, version } of log) {
    if (position !== last + 1) problems.push(`log: position ${position} comes after ${last}`)
    last = position
    const before = versions.get(stream) ?? 0
    if (version !== before + 1)
      problems.push(`log: version ${version} of ${stream} comes after ${before}`)
    versions.set(stream, version)
  }
  if (byId.size !== log.length) problems.push('log: an id is there twice')
  return problems
}

/** What was acknowledged is there, where it was said to be. */
const checkAcknowledged: Check = ({ oracle, byId, log }) => {
  const problems: string[] = [...oracle.wrong]
  for (const { id, type, result } of oracle.acknowledged) {
    const events = result.events.length > 0 ? result.events : []
    for (const event of events) {
      const stored = byId.get(event.id)
      if (stored === undefined)
        problems.push(`lost-write: ${type} ${id} was acknowledged, but ${event.id} is not there`)
      else if (stored.position !== event.position || stored.stream !== event.stream)
        problems.push(`lost-write: ${event.id} is not at the position that was acknowledged`)
    }
    if (result.position > log.length)
      problems.push(`lost-write: ${type} ${id} was acknowledged behind the end of the log`)
  }
  return problems
}

/** What was refused is not there. */
const checkRefused: Check = ({ oracle, log }) =>
  log
    .filter(
      ({ id, causationId }) => oracle.refused.has(id) || oracle.refused.has(causationId ?? ''),
    )
    .map(
      ({ type, id }) =>
        `aborted-write: ${type} ${id} is there, but its client was told that it was refused`,
    )

/** A message that was sent is decided once, however often and in whatever way it came. */
const checkCommands: Check = ({ parts, log }) => {
  const deciding = new Map<string, { stream: string; positions: number[] }>()
  const streams = new Set(parts.aggregates.map(({ name }) => name))
  const problems: string[] = []
  for (const { causationId, stream, position } of log) {
    if (causationId === null || !streams.has(stream.slice(0, stream.indexOf('-')))) continue
    const known = deciding.get(causationId)
    if (known === undefined) deciding.set(causationId, { stream, positions: [position] })
    else if (known.positions.at(-1) === position - 1 && known.stream === stream)
      known.positions.push(position)
    else
      problems.push(
        `duplicate-effect: the command ${causationId} was decided at ${known.positions.join(', ')} and again at ${position}`,
      )
  }
  return problems
}

/** Nothing is to be tried again, and nothing waits behind nothing. */
const checkRetries: Check = ({ retries, kept }) =>
  retries.flatMap(({ subscription, due, parked, queued }) => [
    ...(due > 0 && !kept.has(subscription)
      ? [`stuck: ${due} messages of ${subscription} are still to be tried again`]
      : []),
    ...(queued > 0 && parked === 0
      ? [`stuck: ${queued} messages of ${subscription} wait behind nothing`]
      : []),
  ])

/** What was redriven either went through, or was parked again. */
const checkLetters: Check = ({ letters }) =>
  letters
    .filter(({ state }) => state === 'redriven')
    .map(
      ({ subscription, message }) =>
        `dead-letter-wrong: ${subscription} still has ${message.position} on its way again`,
    )

/** A timer fires once, never early, and not after it was cancelled. */
const checkTimers: Check = ({ books, byId, timers, now }) => {
  const problems = books.wrong.map((text) => `books: ${text}`)
  const waiting = new Set(timers.map(({ message }) => message.id))
  for (const { timer, fate } of books.timers.all.values()) {
    const fired = byId.get(timer.message.id)
    if (fired !== undefined && fired.time < timer.due)
      problems.push(`early-timer: ${timer.id} fired ${timer.due - fired.time} ms early`)
    if (fate === 'cancelled' && fired !== undefined)
      problems.push(`cancelled-timer: ${timer.id} fired though it had been cancelled`)
    if (fate === 'waits' && fired === undefined && !waiting.has(timer.message.id))
      problems.push(`lost-timer: ${timer.id} neither fired nor waits`)
    if (fate === 'waits' && waiting.has(timer.message.id) && timer.due < now - 15_000)
      problems.push(`stuck: timer ${timer.id} has been due for ${now - timer.due} ms`)
  }
  return problems
}

const all: readonly Check[] = [
  checkLog,
  checkAcknowledged,
  checkRefused,
  checkCommands,
  checkHandlers,
  checkRetries,
  checkLetters,
  checkTimers,
  checkProjections,
  checkSagas,
  checkJobs,
  checkSchedules,
]

/** Every problem that there is. */
export async function check(outcome: Outcome): Promise<string[]> {
  const problems: string[] = []
  for (const one of all) problems.push(...(await one(outcome)))
  return problems
}
