/**
 * What can be observed, as typed data: rooms tell what happened, and whoever listens makes logs or metrics of it.
 * A listener that throws never disturbs the work.
 */

interface MessageSignal {
  readonly subscription: string
  readonly key: string
  readonly type: string
  readonly id: string
  readonly position: number
  /** Failed attempts so far. */
  readonly attempts: number
  readonly error: unknown
}

export type Signal =
  /** A handler, projection or saga failed on a message and will try again. */
  | ({ readonly name: 'message-failed'; readonly retryIn: number } & MessageSignal)
  /** It was given up and became a dead letter; its key waits. */
  | ({ readonly name: 'message-parked' } & MessageSignal)
  /** The database failed below a subscription; it goes on after `retryIn` milliseconds. */
  | {
      readonly name: 'subscription-failed'
      readonly subscription: string
      readonly retryIn: number
      readonly error: unknown
    }
  | { readonly name: 'rebuild-started'; readonly subscription: string; readonly through: number }
  | { readonly name: 'rebuild-finished'; readonly subscription: string; readonly through: number }
  /** A snapshot could not be written; results do not depend on it. */
  | { readonly name: 'snapshot-failed'; readonly stream: string; readonly error: unknown }

export type SignalName = Signal['name']
export type Listener = (signal: Signal) => void

export class Signals {
  readonly #listeners = new Set<Listener>()

  /** Returns how to stop listening. */
  listen(listener: Listener): () => void {
    this.#listeners.add(listener)
    return () => void this.#listeners.delete(listener)
  }

  emit(signal: Signal): void {
    for (const listener of this.#listeners) {
      try {
        listener(signal)
      } catch {
        // Observation must not change what is observed.
      }
    }
  }
}
