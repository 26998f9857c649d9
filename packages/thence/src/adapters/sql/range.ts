/**
 * The range of keys that start with a prefix and come after a key, by UTF-8 bytes, for an index to seek: the
 * databases compare text byte by byte, JavaScript by UTF-16 units.
 */

export interface KeyRange {
  /** Inclusive. */
  readonly from: string
  /** Exclusive; undefined: no bound. */
  readonly to: string | undefined
}

const lastCodePoint = 0x10ffff

/** The smallest text that is greater than every text with this prefix. */
const end = (prefix: string): string | undefined => {
  const points = Array.from(prefix, (character) => character.codePointAt(0)!)
  while (points.at(-1) === lastCodePoint) points.pop()
  const last = points.pop()
  if (last === undefined) return undefined
  // Surrogates are no characters: the one after U+D7FF is U+E000.
  return String.fromCodePoint(...points, last === 0xd7ff ? 0xe000 : last + 1)
}

export function keyRange(prefix = '', after?: string): KeyRange {
  const to = end(prefix)
  if (after === undefined) return { from: prefix, to }
  // The text right behind `after` is itself and a NUL.
  const next = `${after}\0`
  return { from: Buffer.compare(Buffer.from(next), Buffer.from(prefix)) > 0 ? next : prefix, to }
}
