/**
 * What becomes of a subscription as a whole: its pages, its leases, its rebuilds, its store.
 */

/** A page of messages is done, or waits in the retries, and the checkpoint behind it is committed. */
export interface FrequentSubscriptionSignal {
  readonly name: 'checkpoint-moved'
  readonly subscription: string
  readonly partition: number
  readonly position: number
  /** Messages of the page. */
  readonly messages: number
  /** Milliseconds that the transaction took. */
  readonly took: number
  /** Messages in the log behind the checkpoint, as far as this process knows; some may not be meant for it. */
  readonly behind: number
  /** Age of the last message of the page, in milliseconds: so old is what comes next, if there is any. */
  readonly behindMs: number
}

interface LeaseSignal<Name extends string> {
  readonly name: Name
  readonly subscription: string
  readonly partition: number
  /** Of the lease; it grows whenever the lease changes hands. */
  readonly epoch: number
}

export type NotableSubscriptionSignal =
  /** The database failed below a subscription; it goes on after `retryIn` milliseconds. */
  | {
      readonly name: 'subscription-failed'
      readonly subscription: string
      readonly retryIn: number
      readonly error: unknown
    }
  /** The database works again after `failures` in a row. */
  | {
      readonly name: 'subscription-recovered'
      readonly subscription: string
      readonly failures: number
    }
  /** This process runs a partition from now on. */
  | LeaseSignal<'lease-taken'>
  /** It has handed one over. */
  | LeaseSignal<'lease-released'>
  /** It has found that another process took one, so that what it had in hand was not committed. */
  | LeaseSignal<'lease-lost'>
  /** This process does not run it: it does without types that another version takes, and would pass them over. */
  | {
      readonly name: 'types-missing'
      readonly subscription: string
      readonly types: readonly string[]
    }
  /** This process does not run it: it is divided by a key of version `stored` now, and this process has another. */
  | {
      readonly name: 'key-replaced'
      readonly subscription: string
      readonly keyVersion: number
      readonly stored: number
    }
  /** It takes these types from now on: what stands up to `position` was passed over when it did not. */
  | {
      readonly name: 'types-gained'
      readonly subscription: string
      readonly types: readonly string[]
      readonly position: number
    }
  /** It begins nothing new until someone resumes it; or it goes on. */
  | {
      readonly name: 'subscription-paused'
      readonly subscription: string
      readonly reason: string | null
      readonly actor: string
    }
  | { readonly name: 'subscription-resumed'; readonly subscription: string }
  /** What the handler calls is out of order: this process begins nothing for `pause` milliseconds. */
  | {
      readonly name: 'breaker-opened'
      readonly subscription: string
      readonly attempts: number
      readonly failures: number
      readonly pause: number
    }
  /** One attempt probes whether it is in order again. */
  | { readonly name: 'breaker-half-opened'; readonly subscription: string }
  /** It is in order again: all goes on. */
  | { readonly name: 'breaker-closed'; readonly subscription: string }
  | { readonly name: 'rebuild-started'; readonly subscription: string; readonly through: number }
  | { readonly name: 'rebuild-finished'; readonly subscription: string; readonly through: number }
  /** Another version of a view answers from now on: one that was built beside it, or one that served before. */
  | {
      readonly name: 'view-switched'
      readonly projection: string
      readonly version: number
      readonly previous: number
      readonly position: number
    }
