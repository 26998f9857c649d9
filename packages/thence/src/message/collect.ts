/**
 * The `on(Definition, function)` chain: how aggregates, projections and sagas say what they do with which message, so
 * that each function is typed by its definition.
 */
import { ThenceError } from '../errors.ts'
import { expectDefinition, expectFunction } from './expect.ts'
import type { Kind } from './message.ts'

/** One entry of a chain. */
export interface Entry<D, Fn> {
  readonly definition: D
  readonly run: Fn
}

/** The chain as the implementation sees it. */
export interface Chain<D, Fn> {
  readonly on: (definition: D, run: Fn) => Chain<D, Fn>
}

/**
 * Collects what `write` says with `on` of messages of these kinds, by message type.
 * @throws NAME_TAKEN if a type is named twice; CONFIG_INVALID if nothing is named.
 */
export function collect<D extends { readonly type: string }, Fn>(
  what: string,
  write: (on: (definition: D, run: Fn) => Chain<D, Fn>) => unknown,
  kinds: readonly Kind[],
): ReadonlyMap<string, Entry<D, Fn>> {
  const entries = new Map<string, Entry<D, Fn>>()
  const on = (definition: D, run: Fn): Chain<D, Fn> => {
    expectDefinition(`on() of ${what}`, definition, kinds)
    expectFunction(`What ${what} does with ${definition.type}`, run)
    if (entries.has(definition.type))
      throw new ThenceError('NAME_TAKEN', `${what} names ${definition.type} twice; once is enough.`)
    entries.set(definition.type, { definition, run })
    return { on }
  }
  write(on)
  if (entries.size === 0)
    throw new ThenceError('CONFIG_INVALID', `${what} handles nothing; add on(Definition, …).`)
  return entries
}
