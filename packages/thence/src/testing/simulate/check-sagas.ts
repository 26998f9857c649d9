/** Whether each saga was started once, did each step once per attempt, and came to its end once. */
import type { SagaMark } from '../../message/message.ts'
import type { Saga } from '../../saga/saga.ts'
import type { Outcome } from './outcome.ts'

const markOf = (metadata: { readonly saga?: SagaMark | undefined }): string | undefined => {
  const { saga } = metadata
  return saga && `${saga.undo === true ? 'undo of ' : ''}${saga.step}, attempt ${saga.attempt}`
}

/** How often each thing is there that may be there once: the start, the end, and each attempt of each step. */
const count = ({ name, facts }: Saga, { messages }: Outcome): ReadonlyMap<string, number> => {
  const once = new Set([facts.started.type, facts.finished.type])
  const times = new Map<string, number>()
  const add = (what: string): void => void times.set(what, (times.get(what) ?? 0) + 1)
  for (const { stream, type, metadata } of messages) {
    if (!stream.startsWith(`${name}-`)) continue
    const mark = markOf(metadata)
    if (once.has(type)) add(`${stream}: ${type}`)
    if (mark !== undefined) add(`${stream}: ${type} for ${mark}`)
  }
  return times
}

/** The streams that events which start this saga belong to. */
const startsOf = (saga: Saga, { messages }: Outcome): ReadonlySet<string> => {
  const keys = messages
    .filter(({ type }) => type === saga.startedBy.type)
    .map((message) => saga.key(message))
  return new Set(keys.filter((key) => key !== undefined).map((key) => `${saga.name}-${key}`))
}

const checkOne = (saga: Saga, outcome: Outcome): string[] => {
  const problems: string[] = []
  const times = count(saga, outcome)
  const starts = startsOf(saga, outcome)
  const started = saga.facts.started.type
  for (const [what, number] of times)
    if (number > 1) problems.push(`duplicate-effect: ${what} is there ${number} times`)
  for (const stream of starts)
    if (!times.has(`${stream}: ${started}`))
      problems.push(`lost-effect: ${stream} was never started`)
  for (const { stream, type } of outcome.messages)
    if (type === started && !starts.has(stream))
      problems.push(`wrong-effect: ${stream} was started by nothing`)
  return problems
}

/** Every saga. Whether it had to end, and how, is for the user's own invariants. */
export const checkSagas = (outcome: Outcome): string[] =>
  outcome.parts.sagas.flatMap((saga) => checkOne(saga, outcome))
