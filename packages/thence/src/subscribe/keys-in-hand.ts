/**
 * The keys of which a partition has messages in hand on their first way: rows of these keys that come up meanwhile, as by
 * a redrive, wait until they are done.
 */
import type { Item } from './item.ts'

export class KeysInHand {
  readonly #items = new Set<Item>()
  readonly #counts = new Map<string, number>()
  readonly #freed: () => void

  /** @param freed called when something was released. */
  constructor(freed: () => void) {
    this.#freed = freed
  }

  get size(): number {
    return this.#counts.size
  }

  has(key: string): boolean {
    return this.#counts.has(key)
  }

  hold(items: readonly Item[]): void {
    for (const item of items) {
      if (this.#items.has(item)) continue
      this.#items.add(item)
      this.#counts.set(item.key, (this.#counts.get(item.key) ?? 0) + 1)
    }
  }

  release(items: readonly Item[]): void {
    for (const item of items) {
      if (!this.#items.delete(item)) continue
      const left = (this.#counts.get(item.key) ?? 0) - 1
      if (left > 0) this.#counts.set(item.key, left)
      else this.#counts.delete(item.key)
    }
    this.#freed()
  }
}
