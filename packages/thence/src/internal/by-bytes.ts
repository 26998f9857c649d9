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
