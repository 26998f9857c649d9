/**
 * What becomes of what is old.
 */

export type RetentionSignal =
  /** Something was old enough: it was removed, or kept because somebody needs it. */
  | {
      readonly name: 'retention-run'
      /** Messages that were removed. */
      readonly removed: number
      /** Rules of which something was kept because somebody needs it. */
      readonly held: number
      /** Milliseconds. */
      readonly took: number
    }
  /** It could not be finished; what was removed before that stays removed. */
  | { readonly name: 'retention-failed'; readonly error: unknown }
  /** A subscription begins after messages that were removed, so it does not see everything that has happened. */
  | {
      readonly name: 'history-truncated'
      readonly subscription: string
      /** Where it goes on. */
      readonly position: number
      /** The highest removed position of its types. */
      readonly truncated: number
    }
