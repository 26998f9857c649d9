/**
 * The door for direct appends: what is asked of the log is checked before anyone else's append can suffer from it.
 */
import { ThenceError } from '../errors.ts'
import { isDevelopment } from '../internal/environment.ts'
import type { OptionNames } from '../message/expect.ts'
import { expectMessage, expectOptions } from '../message/expect.ts'
import type { EventMessage } from '../message/message.ts'
import { checkName } from '../message/name.ts'
import type { AppendCondition, Expected } from '../ports/events.ts'
import type { Append } from '../store/writer.ts'
import { checkQuery } from './reading.ts'

/** A direct append, without an aggregate. */
export interface AppendOptions {
  /** Default: the stream `log`. */
  readonly stream?: string
  readonly expected?: Expected
  readonly condition?: AppendCondition
  readonly events: EventMessage | readonly EventMessage[]
}

const optionNames: OptionNames<AppendOptions> = {
  stream: true,
  expected: true,
  condition: true,
  events: true,
}
const conditionNames: OptionNames<AppendCondition> = { query: true, after: true }

const isWhole = (value: unknown): boolean => Number.isSafeInteger(value) && Number(value) >= 0

const checkExpected = (expected: Expected): void => {
  if (expected === 'none' || expected === 'exists' || isWhole(expected)) return
  throw new ThenceError(
    'CONFIG_INVALID',
    `expected is ${String(expected)}; give the version that the stream must be at (0 for none), 'none' or 'exists'.`,
  )
}

const checkCondition = (condition: AppendCondition): void => {
  if (isDevelopment) expectOptions('condition of append', condition, conditionNames)
  const { query, after } = condition
  if (!Array.isArray(query))
    throw new ThenceError(
      'CONFIG_INVALID',
      'condition.query is missing; give the query that the decision rests on: [{ types, tags }].',
    )
  checkQuery('condition.query', query)
  if (isWhole(after)) return
  throw new ThenceError(
    'CONFIG_INVALID',
    `condition.after is ${String(after)}; give the last position that the decision has seen, 0 for none.`,
  )
}

/** @throws NAME_INVALID, CONFIG_INVALID; in production misspelt options are left to the compiler. */
export function checkedAppend(options: AppendOptions): Append {
  if (isDevelopment) expectOptions('append', options, optionNames)
  const { stream = 'log', expected, condition, events } = options
  checkName('The stream', stream)
  if (expected !== undefined) checkExpected(expected)
  if (condition !== undefined) checkCondition(condition)
  const messages = Array.isArray(events)
    ? (events as readonly EventMessage[])
    : [events as EventMessage]
  for (const message of messages) expectMessage('append({ events })', message, 'event')
  return { stream, messages, expected, condition }
}
