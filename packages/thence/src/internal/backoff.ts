/**
 * Exponential back-off with full jitter: a wait drawn evenly from zero to the doubled bound, so that many who failed
 * together do not come back together. Source: M. Brooker, "Exponential Backoff And Jitter", AWS Architecture Blog, 2015.
 */

/** In milliseconds: the bound of the first wait, and the most that a bound may grow to. */
export interface Backoff {
  readonly base: number
  readonly cap: number
}

/**
 * Milliseconds to wait after the `attempts`-th failure.
 * @param attempts 1 for the first failure.
 * @param random from [0, 1).
 */
export function fullJitter({ base, cap }: Backoff, attempts: number, random: number): number {
  return Math.ceil(random * Math.min(cap, base * 2 ** Math.min(attempts - 1, 40)))
}
