/**
 * What lists are asked for, as somebody gives it: a place that no page can have given, or an option that there is not, is
 * refused, because the list would say something else than was asked.
 */
import { ThenceError } from '../errors.ts'
import { expectCount, expectOptions } from '../message/expect.ts'

const uuid = /^[\da-f]{8}-[\da-f]{4}-[\da-f]{4}-[\da-f]{4}-[\da-f]{12}$/i

/** The error for a place that no page gave. */
export const noPlace = (option: string, place: unknown): ThenceError =>
  new ThenceError(
    'CONFIG_INVALID',
    `${option} is ${JSON.stringify(place)}; give what the page before gave as next.`,
  )

/** @throws CONFIG_INVALID for an option that a list does not have, or a limit that is no whole number from 1. */
export function expectListing(
  what: string,
  options: { readonly limit?: number },
  names: Readonly<Record<string, true>>,
): void {
  expectOptions(what, options, names)
  if (options.limit !== undefined) expectCount(`limit of ${what}`, options.limit)
}

/** @throws CONFIG_INVALID unless it is left out, or an id as pages give them. */
export function expectPlace(option: string, id: string | undefined): void {
  if (id !== undefined && !uuid.test(id)) throw noPlace(option, id)
}
