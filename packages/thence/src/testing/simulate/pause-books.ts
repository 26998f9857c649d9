/**
 * Which subscriptions an operator has paused, and whether any of them begins something all the same. While hazards strike,
 * a process may hear of a pause late; when they are over, within a moment.
 */
import { type SubscriptionSettings, settingsCollection } from '../../subscribe/settings.ts'
import type { Note } from './sites.ts'

/** So long it may take until every process has heard of a pause when nothing goes wrong, in milliseconds. */
const grace = 5000

export class PauseBooks {
  /** What was seen to be wrong while it happened. */
  readonly wrong: string[] = []
  /** Since when each is paused, in milliseconds since the beginning. */
  readonly #since = new Map<string, number>()
  readonly #mark: (name: string) => void
  #healed = Infinity

  /** @param mark is told what happened, by name. */
  constructor(mark: (name: string) => void) {
    this.#mark = mark
  }

  /** No hazard strikes any more. */
  healed(age: number): void {
    this.#healed = age
  }

  /** A transaction is committed. */
  commit(notes: readonly Note[], age: number): void {
    for (const [{ name }, [collection, key, value]] of notes) {
      if (collection !== settingsCollection) continue
      if (name === 'documents.put') this.#set(key as string, value as string, age)
      else if (name === 'documents.delete') this.#since.delete(key as string)
    }
  }

  /** A subscription begins an attempt. */
  began(subscription: string, age: number): void {
    const since = this.#since.get(subscription)
    if (since === undefined || age < Math.max(since, this.#healed) + grace) return
    this.wrong.push(
      `${subscription} was paused at ${since.toFixed(0)} ms and began something at ${age.toFixed(0)} ms`,
    )
  }

  #set(subscription: string, text: string, age: number): void {
    const { paused, policy } = JSON.parse(text) as SubscriptionSettings
    if (policy !== undefined) this.#mark('an operator set a failure policy')
    if (paused === undefined) this.#since.delete(subscription)
    else if (!this.#since.has(subscription)) {
      this.#since.set(subscription, age)
      this.#mark('an operator paused a subscription')
    }
  }
}
