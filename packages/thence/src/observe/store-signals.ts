/**
 * What becomes of the store as a whole, as far as this process meets it.
 */
export type StoreSignal =
  /** It has not done what it was asked. Told when that begins, and once a minute while it goes on; everything is tried again by itself. */
  | {
      readonly name: 'store-failing'
      /** Since it began. */
      readonly failures: number
      /** Milliseconds since it began. */
      readonly lasted: number
      /** The latest. */
      readonly error: unknown
    }
  /** All that failed has worked again. */
  | { readonly name: 'store-recovered'; readonly failures: number; readonly lasted: number }
