/**
 * The door for values: what passes here is written as JSON and read back identically, on every adapter.
 * It refuses the rest with the path and the reason, before anything is stored (decision D10), because such values
 * would later poison the inbox and the dead letters too.
 */
import { ThenceError } from '../errors.ts'

/** A value that JSON carries without loss. */
export type JsonValue =
  | string
  | number
  | boolean
  | null
  | readonly JsonValue[]
  | { readonly [key: string]: JsonValue }

/** Nesting deeper than this is refused. */
export const maxDepth = 64
/** Encoded data larger than this many UTF-16 units is refused. */
export const maxSize: number = 1024 * 1024

const refuse = (what: string, path: string, problem: string): never => {
  throw new ThenceError(
    'VALUE_NOT_STORABLE',
    `${what}: ${path === '' ? 'the value' : path.slice(1)} ${problem}.`,
    { details: { path: path.slice(1), problem } },
  )
}

const stringProblem = (text: string): string | undefined => {
  if (text.includes('\u0000')) return 'holds a NUL character; remove it'
  return text.isWellFormed() ? undefined : 'holds a lone surrogate; use toWellFormed()'
}

const numberProblem = (value: number): string | undefined => {
  if (!Number.isFinite(value)) return `is ${value}; JSON has only finite numbers`
  if (Object.is(value, -0)) return 'is -0, which JSON reads back as 0; write 0'
  if (Number.isInteger(value) && !Number.isSafeInteger(value))
    return `is ${value}, an integer beyond 2^53; write it as a string`
  return undefined
}

const otherProblem = (value: unknown): string =>
  value === undefined
    ? 'is undefined; write null or leave it out'
    : `is a ${typeof value}; only JSON values can be stored`

class Checker {
  readonly #what: string
  /** Whether a property was found that will not be there when the value is read back. */
  absent = false
  constructor(what: string) {
    this.#what = what
  }

  check(value: unknown, path: string, depth: number): void {
    const problem = this.#scalarProblem(value)
    if (problem !== undefined) refuse(this.#what, path, problem)
    if (typeof value !== 'object' || value === null) return
    if (depth >= maxDepth)
      refuse(this.#what, path, `is nested deeper than ${maxDepth} levels (or refers to itself)`)
    if (Array.isArray(value)) this.#array(value, path, depth)
    else this.#object(value, path, depth)
  }

  #scalarProblem(value: unknown): string | undefined {
    switch (typeof value) {
      case 'string':
        return stringProblem(value)
      case 'number':
        return numberProblem(value)
      case 'boolean':
      case 'object':
        return undefined
      default:
        return otherProblem(value)
    }
  }

  #array(value: readonly unknown[], path: string, depth: number): void {
    for (let index = 0; index < value.length; index += 1)
      this.check(value[index], `${path}.${index}`, depth + 1)
  }

  #object(value: object, path: string, depth: number): void {
    const prototype: unknown = Object.getPrototypeOf(value)
    if (prototype !== Object.prototype && prototype !== null)
      refuse(this.#what, path, `is a ${value.constructor.name}; write plain objects, dates as text`)
    for (const key of Object.keys(value)) {
      if (key === '__proto__') refuse(this.#what, path, 'has a key named __proto__')
      const problem = stringProblem(key)
      if (problem !== undefined) refuse(this.#what, `${path}.${key}`, `is a key that ${problem}`)
      const item = (value as Record<string, unknown>)[key]
      // An absent optional property and one that is undefined are the same in JSON and in TypeScript.
      if (item === undefined) this.absent = true
      else this.check(item, `${path}.${key}`, depth + 1)
    }
    if ('toJSON' in value) refuse(this.#what, path, 'has a toJSON method; store its result instead')
  }
}

/**
 * Encodes `value` as JSON text that decodes to the same value. A property whose value is `undefined` counts as absent.
 * @param what who speaks, for the error message, for example `OrderPlaced`.
 * @throws VALUE_NOT_STORABLE for NUL, lone surrogates, -0, non-finite numbers, integers beyond 2^53, class
 * instances, functions, `undefined` in arrays, more than 64 levels, or more than 1 MiB.
 */
export function encodeJson(what: string, value: unknown): string {
  return encodeExactly(what, value).text
}

/** As {@link encodeJson}; `exact` is false if `value` has properties that are `undefined`, which the text has not. */
export function encodeExactly(
  what: string,
  value: unknown,
): { readonly text: string; readonly exact: boolean } {
  const checker = new Checker(what)
  checker.check(value, '', 0)
  const text = JSON.stringify(value)
  if (text.length > maxSize)
    refuse(
      what,
      '',
      `is ${text.length} characters of JSON; the limit is ${maxSize}. Store a reference instead`,
    )
  return { text, exact: !checker.absent }
}

/** Freezes `value` and everything inside it, and returns it. */
export function deepFreeze<T>(value: T): T {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return value
  Object.freeze(value)
  for (const item of Object.values(value)) deepFreeze(item)
  return value
}
