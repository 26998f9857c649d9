/**
 * The only door to time, timers, randomness and ids. No room reads a clock or draws a number by itself, so that a
 * test or a seeded simulation can drive the whole product.
 */

/** Takes back what was planned; calling it again does nothing. */
export type Cancel = () => void

/** Other processes of the same machine, for those who share a database with them. */
export interface Peers {
  /** This process: host and process number, with what tells the same number at another time or place apart. */
  readonly name: string
  /** Whether the process of that name ran on this machine and surely does not any more. */
  isGone(name: string): boolean
}

/**
 * Promises: `now` may step but is in Unix milliseconds; `elapsed` never goes back; `id` never repeats and sorts by creation within one process;
 * a planned callback runs at most once, never inside the call that plans it.
 */
export interface Runtime {
  /** Unix milliseconds. */
  now(): number
  /**
   * Milliseconds since some moment of this process, with fractions where the clock has them: the difference of two is how
   * long something took, whatever becomes of `now` meanwhile.
   */
  elapsed(): number
  /** Evenly from [0, 1). */
  random(): number
  /** A new UUIDv7 (RFC 9562), monotonic within the process. */
  id(): string
  /**
   * Runs `callback` once, not before `milliseconds` from now, however many; never for `Infinity`. A real one keeps the
   * process alive.
   */
  after(milliseconds: number, callback: () => void): Cancel
  /** Runs `callback` when the current turn of the event loop and its microtasks are over. */
  soon(callback: () => void): void
  /** Absent where processes cannot be told apart; then the time of a lease decides alone. */
  readonly peers?: Peers
}
