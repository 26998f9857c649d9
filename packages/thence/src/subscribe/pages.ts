/**
 * Pages of the log for one subscription, read and decoded once for all its partitions in this process as long as these
 * keep together.
 */
import type { StoredMessage } from '../ports/events.ts'
import type { Store } from '../store/store.ts'
import type { Item } from './item.ts'

/** What was read: immutable, so it may be shared. */
export interface ItemPage {
  readonly items: readonly Readonly<Item>[]
  /** Every message of the subscription up to here is in this page or was before it. */
  readonly through: number
  /** Whether the page is as large as it could be, so that more is likely to follow. */
  readonly full: boolean
}

/** So many pages are kept while partitions are at different places. */
const kept = 4

export class Pages {
  readonly #store: Store
  readonly #types: readonly string[]
  readonly #toItem: (stored: StoredMessage) => Item
  readonly #pages = new Map<number, ItemPage>()
  readonly #reading = new Map<number, Promise<ItemPage>>()

  constructor(store: Store, types: readonly string[], toItem: (stored: StoredMessage) => Item) {
    this.#store = store
    this.#types = types
    this.#toItem = toItem
  }

  /** The next messages after a position, from the log. */
  async read(after: number, limit: number): Promise<ItemPage> {
    const query = [{ types: this.#types }]
    const page = await this.#store.read(({ events }) => events.readAll({ query, after, limit }))
    const items = page.messages.map(this.#toItem)
    return { items, through: page.through, full: items.length >= limit }
  }

  /** The same, but what another partition has read from there is not read again. */
  async shared(after: number, limit: number): Promise<ItemPage> {
    const known = this.#pages.get(after)
    if (known !== undefined) return known
    const reading = this.#reading.get(after) ?? this.#begin(after, limit)
    return reading
  }

  #begin(after: number, limit: number): Promise<ItemPage> {
    const reading = this.read(after, limit)
      .then((page) => {
        // Where nothing came there may be something by now.
        if (page.through > after) this.#keep(after, page)
        return page
      })
      .finally(() => this.#reading.delete(after))
    this.#reading.set(after, reading)
    return reading
  }

  #keep(after: number, page: ItemPage): void {
    this.#pages.set(after, page)
    for (const oldest of this.#pages.keys()) {
      if (this.#pages.size <= kept) break
      this.#pages.delete(oldest)
    }
  }
}
