/**
 * Retries that were begun and have not ended: one of a key at a time. What they throw is kept until someone asks.
 */
import type { Cancel } from '../ports/runtime.ts'
import { Waker } from './waker.ts'

export class InHand {
  /** When the call of each was begun, by `elapsed`; Infinity as long as it waits for its turn. */
  readonly #keys = new Map<string, number>()
  readonly #ended = new Waker()
  readonly #errors: { readonly error: unknown }[] = []

  get size(): number {
    return this.#keys.size
  }

  has(key: string): boolean {
    return this.#keys.has(key)
  }

  /** Whether a call was begun at this time or before, by `elapsed`. */
  hasSince(time: number): boolean {
    return [...this.#keys.values()].some((begun) => begun <= time)
  }

  /** The call of a key that is in hand begins, at this time by `elapsed`. */
  begin(key: string, time: number): void {
    this.#keys.set(key, time)
  }

  hold(key: string, work: Promise<void>): void {
    this.#keys.set(key, Infinity)
    void work
      .catch((error: unknown) => void this.#errors.push({ error }))
      .finally(() => {
        this.#keys.delete(key)
        this.#ended.wake()
      })
  }

  /** Resolves when one has ended since the last time, or when `plan` calls what it is given. */
  async change(plan: (wake: () => void) => Cancel): Promise<void> {
    const cancel = plan(() => this.#ended.wake())
    await this.#ended.wait()
    cancel()
  }

  /** Resolves when nothing is in hand. */
  async empty(): Promise<void> {
    while (this.size > 0) await this.#ended.wait()
  }

  /** Throws what one of them threw; what others threw since the last time has the same cause, as a rule. */
  throwFirst(): void {
    const [first] = this.#errors.splice(0)
    if (first !== undefined) throw first.error
  }
}
