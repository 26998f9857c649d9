/**
 * What kind of failure an error stands for, because that decides what helps: time, nothing, or a change of the code. A
 * look that never throws, whatever was thrown.
 */

import type { ErrorKind } from '../errors.ts'

/** Your own view of an error; `undefined` leaves it to the next rule. One that throws has no view. */
export type Classify = (error: unknown) => ErrorKind | undefined

export const errorKinds: readonly ErrorKind[] = ['transient', 'permanent', 'bug']
const kinds: ReadonlySet<unknown> = new Set(errorKinds)
const builtIn = [TypeError, ReferenceError, SyntaxError, RangeError]
/** By name too: an error of another realm is no instance of this one's classes. */
const bugs: ReadonlySet<unknown> = new Set([
  'TypeError',
  'ReferenceError',
  'SyntaxError',
  'RangeError',
  'AssertionError',
])

const field = (value: unknown, name: string): unknown =>
  typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined

/** `fetch` wraps a failure of the network in a TypeError; a code of Node's own (`ERR_…`) is a mistake in the call. */
const isOfTheNetwork = (error: unknown): boolean => {
  const code = field(field(error, 'cause'), 'code')
  return typeof code === 'string' && !code.startsWith('ERR_')
}

const byDefault: Classify = (error) => {
  const retryable = field(error, 'retryable')
  if (retryable === false) return 'permanent'
  if (retryable === true) return 'transient'
  const looksLikeBug = builtIn.some((one) => error instanceof one) || bugs.has(field(error, 'name'))
  return looksLikeBug && !isOfTheNetwork(error) ? 'bug' : 'transient'
}

const ask = (rule: Classify | undefined, error: unknown): ErrorKind | undefined => {
  try {
    const kind = rule?.(error)
    return kinds.has(kind) ? kind : undefined
  } catch {
    return undefined
  }
}

/**
 * The first of `rules` that has a view decides, else the default: `retryable: false` is permanent and `retryable: true`
 * transient; TypeError, ReferenceError, SyntaxError, RangeError and AssertionError are bugs, unless their cause is a
 * failure of the network, as with `fetch`; everything else is transient. Never throws.
 */
export function classify(error: unknown, ...rules: readonly (Classify | undefined)[]): ErrorKind {
  for (const rule of [...rules, byDefault]) {
    const kind = ask(rule, error)
    if (kind !== undefined) return kind
  }
  return 'transient'
}
