/**
 * Checks for callers without types: what is not what it should be is told where it was given, with what to do.
 */
import { ThenceError } from '../errors.ts'
import { isCount } from '../internal/count.ts'
import { meant } from '../internal/near.ts'
import type { Kind } from './message.ts'

/** A value as an error tells it. */
export const shown = (value: unknown): string => {
  if (typeof value === 'string') return JSON.stringify(value.slice(0, 80))
  if (Array.isArray(value)) return 'a list'
  if (typeof value === 'function') return `the function ${value.name || 'without a name'}`
  if (value instanceof Promise) return 'a promise (it must not be async)'
  if (typeof value !== 'object' || value === null) return String(value)
  if (!('kind' in value) || typeof value.kind !== 'string') return 'an object'
  return `${value.kind === 'event' ? 'an' : 'a'} ${value.kind}`
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

/** Why something may be missing that was imported. */
export const surprise = (value: unknown): string =>
  value === undefined ? ' If that is a surprise, two files may import each other.' : ''

const recorded: readonly Kind[] = ['event', 'command']

/** @throws CONFIG_INVALID unless `value` is a definition of a message of one of these kinds. */
export function expectDefinition(
  what: string,
  value: unknown,
  kinds: readonly Kind[] = recorded,
): void {
  const isDefinition = typeof value === 'function' && 'kind' in value && 'type' in value
  if (isDefinition && kinds.some((kind) => kind === value.kind)) return
  const given = isDefinition
    ? `the ${String(value.kind)} ${String(value.type)}`
    : `${shown(value)}.${surprise(value)}`.replace(/\.$/, '')
  throw invalid(
    `${what} takes a definition of a message (${kinds.join(' or ')}); this is ${given}.`,
  )
}

/** @throws CONFIG_INVALID unless `value` is a function. */
export function expectFunction(what: string, value: unknown): void {
  if (typeof value !== 'function')
    throw invalid(`${what} must be a function; this is ${shown(value)}.`)
}

const isObject = (value: unknown): value is object =>
  typeof value === 'object' &&
  value !== null &&
  !Array.isArray(value) &&
  !(value instanceof Promise)

/** @throws CONFIG_INVALID unless `value` is an object, and neither a list nor a promise. */
export function expectObject(what: string, value: unknown): void {
  if (!isObject(value))
    throw invalid(`${what} must be an object; this is ${shown(value)}.${surprise(value)}`)
}

/** What an object of options of type `O` may have; an option that is new does not compile until it is here. */
export type OptionNames<O> = Readonly<Record<keyof Required<O>, true>>

/** @throws CONFIG_INVALID, with what is near, unless `options` is an object that has no options but these. */
export function expectOptions(
  what: string,
  options: unknown,
  names: Readonly<Record<string, true>>,
): void {
  // Some of it comes with every message: no text is made before there is anything to tell.
  if (!isObject(options)) return expectObject(`The options of ${what}`, options)
  for (const name of Object.keys(options))
    if (names[name] !== true) throw noOption(what, name, Object.keys(names))
}

const noOption = (what: string, name: string, known: readonly string[]): ThenceError =>
  invalid(
    `${what} has no option ${shown(name)}.${meant(name, known)} It takes ${known.join(', ')}.`,
  )

/** @throws CONFIG_INVALID unless `value` is a list. */
export function expectList(what: string, value: unknown): void {
  if (!Array.isArray(value)) throw invalid(`${what} must be a list; this is ${shown(value)}.`)
}

/** @throws CONFIG_INVALID unless `value` is true or false. */
export function expectFlag(what: string, value: unknown): void {
  if (typeof value !== 'boolean')
    throw invalid(`${what} must be true or false; this is ${shown(value)}.`)
}

/** @throws CONFIG_INVALID unless `value` is a whole number of at least 1. */
export function expectCount(what: string, value: unknown): void {
  if (!isCount(value as number))
    throw invalid(`${what} must be a whole number of at least 1; this is ${shown(value)}.`)
}

/** @throws CONFIG_INVALID unless `value` is a number of milliseconds from 0; `Infinity` is for ever. */
export function expectTime(what: string, value: unknown): void {
  if (typeof value !== 'number' || !(value >= 0))
    throw invalid(`${what} must be a number of milliseconds, at least 0; this is ${shown(value)}.`)
}

/** @throws CONFIG_INVALID, with what is near, unless `value` is one of the names that are known. */
export function expectOneOf(what: string, value: unknown, known: readonly string[]): void {
  if (known.some((one) => one === value)) return
  throw invalid(
    `${what} is ${shown(value)}; it is one of ${known.join(', ')}.${typeof value === 'string' ? meant(value, known) : ''}`,
  )
}
