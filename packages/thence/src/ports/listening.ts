/**
 * Being told of what others append. It is a hint and no more: whoever follows the log also looks by itself now and then, and
 * nothing but the wait for that look is lost if a hint is.
 */

/** What wants to be told. Neither method throws. */
export interface Listener {
  /**
   * The log has grown to `head` and is settled up to there. Without it something may have been missed, also when listening has just begun: look.
   */
  heard(head?: number): void
  /** Nothing is heard from now on, and why; it is tried again by itself, and `heard` is called when that went well. */
  lost(error: unknown): void
}

/**
 * - `heard` is called soon after appends were committed through any Database object of the store, in whatever process, by
 *   `append` or in a transaction. It may come late, more often than needed, or not at all; many appends in a row may be one call.
 *   It is never called before the commit that it tells of can be read, and never inside the call that begins listening.
 * - What is lost with a connection is made up for: once it hears again, `heard` is called without a head.
 * - After `stop` nothing is called any more; closing the database stops it too.
 */
export interface Listening {
  /** Whether it hears at present. While it doesn't, and where it never will, only looking tells. */
  readonly live: boolean
  /** Resolves when what it held is given back. May be called twice. */
  stop(): Promise<void>
}
