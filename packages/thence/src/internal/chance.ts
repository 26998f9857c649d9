/**
 * Chance from a seed: everyone who draws has a source of their own, made from the seed, so that what one draws does
 * not change what another is given.
 */
import { Seeded } from './seeded.ts'

/** A number that follows from the others and looks like none of them. */
export function derive(...numbers: readonly number[]): number {
  let mixed = 0x9e37_79b9
  for (const number of numbers) {
    mixed = Math.imul(mixed ^ (number >>> 0), 0x85eb_ca6b)
    mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2_ae35)
    mixed ^= mixed >>> 16
  }
  return mixed >>> 0
}

/** A text as a number. */
export function numberOf(text: string): number {
  let hash = 0x811c_9dc5
  for (let at = 0; at < text.length; at += 1)
    hash = Math.imul(hash ^ text.charCodeAt(at), 0x0100_0193)
  return hash >>> 0
}

/** Repeatable chance: the same seed gives the same draws. */
export class Chance {
  readonly #source: Seeded

  constructor(...seed: readonly number[]) {
    this.#source = new Seeded(derive(...seed))
  }

  /** Evenly from [0, 1). */
  number(): number {
    return this.#source.number()
  }

  /** A whole number from 0 to `below` - 1. */
  whole(below: number): number {
    return Math.floor(this.#source.number() * below)
  }

  /** Evenly from [`from`, `to`). */
  between(from: number, to: number): number {
    return from + this.#source.number() * (to - from)
  }

  /** True with this probability. */
  is(probability: number): boolean {
    return this.#source.number() < probability
  }

  /** One of the list. */
  pick<T>(list: readonly T[]): T {
    return list[this.whole(list.length)] as T
  }
}
