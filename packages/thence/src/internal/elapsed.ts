/**
 * Time that only goes forward, made of a clock that may step: what counts how much has passed must neither wait for an
 * hour nor begin anew because somebody set the clock.
 */
export class Elapsed {
  #last: number | undefined
  #passed = 0

  /** Milliseconds since the first call. A step back counts as no time at all. */
  at(now: number): number {
    this.#passed += Math.max(0, now - (this.#last ?? now))
    this.#last = now
    return this.#passed
  }
}
