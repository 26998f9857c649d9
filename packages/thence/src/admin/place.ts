/**
 * Where a page begins, as somebody gives it: what no page can have given is refused, because an empty page would say
 * that there is nothing.
 */
import { ThenceError } from '../errors.ts'

const uuid = /^[\da-f]{8}-[\da-f]{4}-[\da-f]{4}-[\da-f]{4}-[\da-f]{12}$/i

/** The error for a place that no page gave. */
export const noPlace = (option: string, place: unknown): ThenceError =>
  new ThenceError(
    'CONFIG_INVALID',
    `${option} is ${JSON.stringify(place)}; give what the page before gave as next.`,
  )

/** @throws CONFIG_INVALID unless it is left out, or an id as pages give them. */
export function expectPlace(option: string, id: string | undefined): void {
  if (id !== undefined && !uuid.test(id)) throw noPlace(option, id)
}
