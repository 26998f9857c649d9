/**
 * Checks for callers without types: what is not what it should be is told where it was given, with what to do.
 */
import { ThenceError } from '../errors.ts'
import type { Kind } from './message.ts'

const shown = (value: unknown): string => {
  if (typeof value === 'function') return `the function ${value.name || 'without a name'}`
  if (value instanceof Promise) return 'a promise (it must not be async)'
  if (typeof value !== 'object' || value === null) return String(value)
  return 'kind' in value && typeof value.kind === 'string' ? `a ${value.kind}` : 'an object'
}

const invalid = (text: string): ThenceError => new ThenceError('CONFIG_INVALID', text)

/** @throws CONFIG_INVALID unless `value` is a written message of `kind`. */
export function expectMessage(what: string, value: unknown, kind: Kind): void {
  const fits =
    typeof value === 'object' &&
    value !== null &&
    'kind' in value &&
    value.kind === kind &&
    'type' in value
  if (!fits)
    throw invalid(
      `${what} takes ${kind} messages, written by their definition; this is ${shown(value)}.`,
    )
}

/** @throws CONFIG_INVALID unless `value` is a definition of a message. */
export function expectDefinition(what: string, value: unknown): void {
  if (typeof value === 'function' && 'kind' in value && 'type' in value) return
  const hint = value === undefined ? ' If that is a surprise, two files may import each other.' : ''
  throw invalid(`${what} takes a definition of a message; this is ${shown(value)}.${hint}`)
}

/** @throws CONFIG_INVALID unless `value` is a function. */
export function expectFunction(what: string, value: unknown): void {
  if (typeof value !== 'function')
    throw invalid(`${what} must be a function; this is ${shown(value)}.`)
}
