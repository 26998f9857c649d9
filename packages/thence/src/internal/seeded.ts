/**
 * Chance that repeats: the same seed gives the same numbers on every machine. Small and quick, and not for secrets.
 */

/** A generator of 32-bit numbers. */
export class Seeded {
  #state: number

  constructor(seed: number) {
    this.#state = seed >>> 0
  }

  /** A whole number from 0 to 2^32 - 1. Splitmix32: Steele, Lea and Flood, OOPSLA 2014, in its 32-bit form. */
  next(): number {
    this.#state = (this.#state + 0x9e37_79b9) >>> 0
    let mixed = this.#state ^ (this.#state >>> 16)
    mixed = Math.imul(mixed, 0x21f0_aaad)
    mixed = Math.imul(mixed ^ (mixed >>> 15), 0x735a_2d97)
    return (mixed ^ (mixed >>> 15)) >>> 0
  }

  /** Evenly from [0, 1). */
  number(): number {
    return this.next() / 0x1_0000_0000
  }

  /** Fills the array with random bytes. */
  fill(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length; at += 1) bytes[at] = this.next() & 0xff
  }
}
