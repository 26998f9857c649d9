/**
 * The order of names and keys: by UTF-8 bytes, as databases have it. JavaScript's own order is by UTF-16 units and
 * puts characters above U+FFFF before U+E000–U+FFFF.
 */

// Surrogates spell the characters above U+FFFF, so they rank above every other unit.
const rank = (unit: number): number => (unit >= 0xd800 && unit <= 0xdfff ? unit + 0x10000 : unit)

/** Compares two texts by their UTF-8 bytes. */
export function byBytes(left: string, right: string): number {
  const length = Math.min(left.length, right.length)
  for (let index = 0; index < length; index += 1) {
    const difference = rank(left.charCodeAt(index)) - rank(right.charCodeAt(index))
    if (difference !== 0) return difference
  }
  return left.length - right.length
}

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
