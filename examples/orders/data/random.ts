/**
 * Seeded chance for the example, in two forms: a sequence for the generated day, and a draw that
 * depends only on its keys, so that a simulated answer is the same in whatever order it is asked
 * for and after any restart. Not for secrets.
 */
import { hash } from 'node:crypto'

export interface Random {
  /** The next number in [0, 1). */
  next(): number
  /** A whole number from `min` to `max`, both included. */
  int(min: number, max: number): number
  /** One of the items; throws RangeError if there are none. */
  pick<T>(items: readonly T[]): T
}

/** A reproducible sequence: sfc32 by Chris Doty-Humphrey (PractRand), seeded through SHA-256. */
export function random(seed: number, ...keys: readonly string[]): Random {
  const next = sfc32(digest(seed, keys))
  const int = (min: number, max: number): number => min + Math.floor(next() * (max - min + 1))
  return {
    next,
    int,
    pick<T>(items: readonly T[]): T {
      if (items.length === 0)
        throw new RangeError('there is nothing to pick from: the list is empty')
      return items[int(0, items.length - 1)] as T
    },
  }
}

/** A number in [0, 1) from the seed and the keys alone: same arguments, same answer, any order. */
export function chance(seed: number, ...keys: readonly string[]): number {
  return Number.parseInt(digest(seed, keys).slice(0, 12), 16) / 2 ** 48
}

/** JSON keeps the keys apart: ('a', 'b') and ('ab') are different draws. */
function digest(seed: number, keys: readonly string[]): string {
  return hash('sha256', JSON.stringify([seed, ...keys]))
}

function sfc32(hex: string): () => number {
  const word = (index: number): number => Number.parseInt(hex.slice(index * 8, index * 8 + 8), 16)
  let [a, b, c, counter] = [word(0) | 0, word(1) | 0, word(2) | 0, 1]
  return () => {
    const sum = (((a + b) | 0) + counter) | 0
    counter = (counter + 1) | 0
    a = b ^ (b >>> 9)
    b = (c + (c << 3)) | 0
    c = ((c << 21) | (c >>> 11)) + sum
    c |= 0
    return (sum >>> 0) / 2 ** 32
  }
}
