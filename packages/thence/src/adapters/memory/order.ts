/**
 * Pages in the order of names, as databases have it.
 */
import { byBytes } from '../../internal/by-bytes.ts'

export { byBytes }

/** Sorts by the name of each item, keeps those after `after`, at most `limit`. */
export function page<T>(
  items: readonly T[],
  name: (item: T) => string,
  { after, limit }: { readonly after?: string; readonly limit: number },
): T[] {
  return items
    .filter((item) => after === undefined || byBytes(name(item), after) > 0)
    .sort((left, right) => byBytes(name(left), name(right)))
    .slice(0, limit)
}
