/**
 * What must hold when everything has calmed down, whatever happened before. Each check gives a sentence per problem; the
 * first words name the anomaly, as Jepsen does where it has a name for it.
 */
import type { Handler } from '../../handle/handler.ts'
import type { Recorded } from '../../message/message.ts'
import { checkProjections } from './check-projections.ts'
import { checkSagas } from './check-sagas.ts'
import { effectKey } from './effects.ts'
import { keyOfHandler } from './instrument.ts'
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

interface Expected {
  readonly done: number[]
  /** The message at which the key waits. */
  parked?: Recorded
}

/** What a handler should have done, by key: everything up to the first message that cannot be done. */
const expectedOf = (handler: Handler, { messages, troubles, letters }: Outcome) => {
  const types = new Set(handler.definitions.map(({ type }) => type))
  const parked = new Set(
    letters
      .filter(({ subscription, state }) => subscription === handler.name && state === 'parked')
      .map(({ message }) => message.position),
  )
  const keys = new Map<string, Expected>()
  for (const message of messages) {
    if (!types.has(message.type)) continue
    const key = keyOfHandler(handler, message)
    let expected = keys.get(key)
    if (expected === undefined) keys.set(key, (expected = { done: [] }))
    if (expected.parked !== undefined) continue
    const { poison } = troubles.of(handler.name, message.id, handler.retry.attempts)
    const own = parked.has(message.position) && troubles.failedByItself(handler.name, message.id)
    if (poison || own) expected.parked = message
    else expected.done.push(message.position)
  }
  return keys
}

const compareDone = (
  what: string,
  done: readonly number[],
  expected: readonly number[],
): string[] => {
  const problems: string[] = []
  const counts = new Map<number, number>()
  for (const position of done) counts.set(position, (counts.get(position) ?? 0) + 1)
  for (const [position, count] of counts)
    if (count > 1) problems.push(`duplicate-effect: ${what} did ${position} ${count} times`)
  const wanted = new Set(expected)
  for (const position of expected)
    if (!counts.has(position)) problems.push(`lost-effect: ${what} never did ${position}`)
  for (const position of counts.keys())
    if (!wanted.has(position))
      problems.push(`wrong-effect: ${what} did ${position}, which waits or is not for it`)
  if (problems.length === 0 && done.some((position, index) => position !== expected[index]))
    problems.push(`per-key-order: ${what} did ${done.join(', ')}`)
  return problems
}

/** Handlers did each message once, in order per key, but for what is poison and what waits behind it. */
const checkHandlers: Check = (outcome) => {
  const problems: string[] = []
  for (const handler of outcome.parts.handlers) {
    if (handler.from === 'now') continue
    const letters = new Set(
      outcome.letters
        .filter(({ subscription, state }) => subscription === handler.name && state === 'parked')
        .map(({ message }) => message.position),
    )
    for (const [key, { done, parked }] of expectedOf(handler, outcome)) {
      const effects = outcome.effects.get(effectKey(handler.name, key)) ?? []
      problems.push(...compareDone(`${handler.name} ${key}`, effects, done))
      if (parked !== undefined && !letters.delete(parked.position))
        problems.push(`dead-letter-missing: ${handler.name} has none for ${parked.position}`)
    }
    for (const position of letters)
      problems.push(`dead-letter-wrong: ${handler.name} parked ${position}, which is sound`)
  }
  return problems
}

/** Nothing is to be tried again, and nothing waits behind nothing. */
const checkRetries: Check = ({ retries }) =>
  retries.flatMap(({ subscription, due, parked, queued }) => [
    ...(due > 0 ? [`stuck: ${due} messages of ${subscription} are still to be tried again`] : []),
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
]

/** Every problem that there is. */
export async function check(outcome: Outcome): Promise<string[]> {
  const problems: string[] = []
  for (const one of all) problems.push(...(await one(outcome)))
  return problems
}
