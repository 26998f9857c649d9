/**
 * What the types of the bus say, said once more at run time for those who write JavaScript, and the names that errors
 * go by. Only registering pays for it.
 */
import { ThenceError } from '../errors.ts'
import { checkName } from '../message/name.ts'
import type { Target } from './handlers.ts'

/** A handler of whatever event; the methods of the bus say which. */
export type Handler = (event: never) => unknown

/** @throws CONFIG_INVALID */
export function checkTarget(target: Target): void {
  if (target === '*' || kindOf(target) === 'event') return
  throw new ThenceError(
    'CONFIG_INVALID',
    `A bus listens to an event definition or to '*', not to ${described(target)}. ` +
      'If it is undefined by surprise, two files may import each other.',
  )
}

/**
 * What errors call `handler`.
 * @throws CONFIG_INVALID, NAME_INVALID
 */
export function handlerName(target: Target, handler: Handler, name: string | undefined): string {
  checkTarget(target)
  if (typeof handler !== 'function')
    throw new ThenceError('CONFIG_INVALID', `A handler is a function, not ${described(handler)}.`)
  if (name === undefined) return handler.name || `anonymous handler of ${targetName(target)}`
  checkName('The handler', name)
  return name
}

export const targetName = (target: Target): string => (target === '*' ? 'every event' : target.type)

export const notAnEvent = (message: unknown): ThenceError =>
  new ThenceError(
    'CONFIG_INVALID',
    `A bus carries events, not ${described(message)}. Commands are sent with app.send().`,
  )

function described(value: unknown): string {
  const kind = kindOf(value)
  return typeof kind === 'string'
    ? `${kind === 'event' ? 'an' : 'a'} ${kind}`
    : value === null
      ? 'null'
      : typeof value
}

const kindOf = (value: unknown): unknown =>
  (value as { readonly kind?: unknown } | null | undefined)?.kind
