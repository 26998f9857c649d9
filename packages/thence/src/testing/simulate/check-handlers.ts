/**
 * Whether each handler did each message once, in order per key, but for what is poison and what waits behind it.
 */
import type { Handler } from '../../handle/handler.ts'
import type { Recorded } from '../../message/message.ts'
import type { DeadLetter } from '../../ports/dead-letters.ts'
import { effectKey } from './effects.ts'
import { keyOfHandler } from './instrument.ts'
import type { Outcome } from './outcome.ts'
import { tellFailure } from './telling.ts'

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

const lettersOf = ({ name }: Handler, { letters }: Outcome): readonly DeadLetter[] =>
  letters.filter(({ subscription }) => subscription === name)

/** A letter that should not be there. */
const tellWrong = ({ name, retry }: Handler, letter: DeadLetter, { troubles }: Outcome): string => {
  const { message } = letter
  const { poison, failures } = troubles.of(name, message.id, retry.attempts)
  const planted = failures > 0 ? 'only what passes' : 'nothing'
  const why = poison ? 'before its turn' : `though ${planted} was planted in it`
  return `dead-letter-wrong: ${name} parked ${message.position} ${why}: ${tellFailure(letter)}`
}

/** Where a message that is given up keeps its key waiting: exactly what had to be done was done. */
const checkStrictly = (handler: Handler, outcome: Outcome): string[] => {
  const problems: string[] = []
  const parked = lettersOf(handler, outcome).filter(({ state }) => state === 'parked')
  const letters = new Map(parked.map((letter) => [letter.message.position, letter]))
  for (const [key, expected] of expectedOf(handler, outcome)) {
    const effects = outcome.effects.get(effectKey(handler.name, key)) ?? []
    problems.push(...compareDone(`${handler.name} ${key}`, effects, expected.done))
    if (expected.parked !== undefined && !letters.delete(expected.parked.position))
      problems.push(`dead-letter-missing: ${handler.name} has none for ${expected.parked.position}`)
  }
  // What was lost by it comes after it.
  return [...letters.values()].map((letter) => tellWrong(handler, letter, outcome)).concat(problems)
}

/**
 * Where a key may go on without a message that was given up: each was done once, or has a letter, or waits; and those
 * without a letter were done in order.
 */
const checkLoosely = (handler: Handler, outcome: Outcome): string[] => {
  const problems: string[] = []
  const letters = new Set(lettersOf(handler, outcome).map(({ message }) => message.position))
  const waits = outcome.waiting.get(handler.name) ?? new Set()
  const types = new Set(handler.definitions.map(({ type }) => type))
  for (const [key, positions] of Map.groupBy(
    outcome.messages.filter(({ type }) => types.has(type)),
    (message) => keyOfHandler(handler, message),
  )) {
    const what = `${handler.name} ${key}`
    const effects = outcome.effects.get(effectKey(handler.name, key)) ?? []
    const done = new Set(effects)
    if (done.size < effects.length)
      problems.push(`duplicate-effect: ${what} did ${effects.join(', ')}`)
    for (const { position } of positions)
      if (!done.has(position) && !letters.has(position) && !waits.has(position))
        problems.push(`lost-effect: ${what} never did ${position}`)
    const smooth = effects.filter((position) => !letters.has(position))
    if (smooth.some((position, index) => position < (smooth[index - 1] ?? 0)))
      problems.push(`per-key-order: ${what} did ${effects.join(', ')}`)
  }
  return problems
}

/** Every handler that began at the beginning. */
export const checkHandlers = (outcome: Outcome): string[] =>
  outcome.parts.handlers
    .filter(({ from }) => from === 'start')
    .flatMap((handler) => {
      const keysWait = handler.onFailure === 'park-key' && !outcome.decided.has(handler.name)
      return keysWait ? checkStrictly(handler, outcome) : checkLoosely(handler, outcome)
    })
