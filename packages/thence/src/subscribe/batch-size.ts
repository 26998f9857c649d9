/**
 * How many messages to take at once: the more the further behind, within a bound of bytes, because each transaction has
 * a fixed price; as few as asked for once the end of the log is near.
 */
import type { StoredMessage } from '../ports/events.ts'

/** Far behind, a page grows to so many times its size … */
const most = 4
/** … unless it would hold more text than this, in UTF-16 units. */
const maxText = 4 * 1024 * 1024

export class BatchSize {
  readonly #base: number
  #size: number

  /** @param base how many messages at the end of the log. */
  constructor(base: number) {
    this.#base = base
    this.#size = base
  }

  get size(): number {
    return this.#size
  }

  /** @param full whether the page was as large as it could be, so that more is likely to follow. */
  learn(page: readonly StoredMessage[], full: boolean): void {
    if (!full) {
      this.#size = this.#base
      return
    }
    const text = page.reduce((sum, { data }) => sum + data.length, 0)
    const affordable = Math.floor((maxText * page.length) / Math.max(text, 1))
    this.#size = Math.max(1, Math.min(this.#size * 2, this.#base * most, affordable))
  }
}
