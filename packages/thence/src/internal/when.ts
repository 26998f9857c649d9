/**
 * A time that has not come yet, as people write it: at a moment, or so long from now.
 */
import { ThenceError } from '../errors.ts'
import type { Duration } from './duration.ts'
import { milliseconds } from './duration.ts'

/**
 * `at` a moment: a Date, Unix milliseconds, or ISO 8601 text with its offset, such as `2026-03-29T02:00:00Z` or
 * `2026-03-29T02:00+01:00`; one that has passed is now. Or `in` so long from now, by the database's clock.
 */
export type When =
  | { readonly at: Date | number | string; readonly in?: never }
  | { readonly in: Duration; readonly at?: never }

/** Unix milliseconds, or milliseconds from now. */
export type Due = number | { readonly in: number }

/** The last moment that a Date can be. */
const latest = 8.64e15
/** Without an offset a text would mean another moment on another machine. */
const form = /^(\d{4})-(\d\d)-(\d\d)T\d\d:\d\d(?::\d\d(?:\.\d{1,3})?)?(?:Z|[+-]\d\d:\d\d)$/

const refuse = (what: string, shown: string): never => {
  throw new ThenceError(
    'CONFIG_INVALID',
    `The time of ${what} is ${shown}; give { at } as a Date, Unix milliseconds or ISO 8601 text with an offset ` +
      '(2026-03-29T02:00:00Z), or { in } as a duration (1h).',
  )
}

/** Unix milliseconds of ISO 8601 text with its offset; NaN for any other text, and for a day that no calendar has. */
export const momentOf = (text: string): number => {
  const [, year, month, day] = form.exec(text) ?? []
  // Date.parse takes the 30th of February for a day in March.
  const last = new Date(Date.UTC(Number(year), Number(month), 0)).getUTCDate()
  return Number(day) <= last ? Date.parse(text) : Number.NaN
}

const atOf = (what: string, at: unknown): number => {
  const value = typeof at === 'string' ? momentOf(at) : Number(at)
  const isTime = typeof at === 'string' || typeof at === 'number' || at instanceof Date
  // Never early: a fraction is rounded up.
  if (isTime && Math.abs(value) <= latest) return Math.ceil(value)
  return refuse(what, JSON.stringify(at) ?? typeof at)
}

/** @throws CONFIG_INVALID */
export function dueOf(what: string, when: When): Due {
  const given: unknown = when
  if (typeof given !== 'object' || given === null) return refuse(what, String(given))
  const unknown = Object.keys(given).find((name) => name !== 'at' && name !== 'in')
  if (unknown !== undefined) return refuse(what, `an object with ${unknown}`)
  if ((when.at === undefined) === (when.in === undefined))
    return refuse(what, when.at === undefined ? 'neither at nor in' : 'both at and in')
  if (when.in === undefined) return atOf(what, when.at)
  const delay = milliseconds(`The delay of ${what}, its option in,`, when.in)
  return delay < latest / 2 ? { in: delay } : refuse(what, `in ${delay} ms`)
}
