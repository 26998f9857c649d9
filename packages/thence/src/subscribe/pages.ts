/**
 * Pages of the log for one subscription, read and decoded once for all its partitions in this process as long as these
 * keep together.
 */
import type { StoredMessage } from '../ports/events.ts'
import type { Store } from '../store/store.ts'
import type { Item } from './item.ts'
import type { SubscriptionOptions } from './options.ts'

/** What was read: immutable, so it may be shared. */
export interface ItemPage {
  readonly items: readonly Readonly<Item>[]
  /** Every message of the subscription up to here is in this page or was before it. */
  readonly through: number
  /** Whether the page is as large as it could be, so that more is likely to follow. */
  readonly full: boolean
}

/** The most that one page takes, in bytes of text. */
const defaultMaxBytes = 4 * 1024 * 1024
/** So many pages are kept while partitions are at different places. */
const kept = 4

export class Pages {
  readonly #store: Store
  readonly #types: readonly string[]
  readonly #maxBytes: number
  readonly #toItem: (stored: StoredMessage) => Item
  readonly #pages = new Map<number, ItemPage>()
  readonly #reading = new Map<number, Promise<ItemPage>>()

  constructor(
    store: Store,
    { types, maxBytes = defaultMaxBytes }: Pick<SubscriptionOptions, 'types' | 'maxBytes'>,
    toItem: (stored: StoredMessage) => Item,
  ) {
    this.#store = store
    this.#types = types
    this.#maxBytes = maxBytes
    this.#toItem = toItem
  }

  /** The next messages after a position, from the log. */
  async read(after: number, limit: number): Promise<ItemPage> {
    const query = [{ types: this.#types }]
    const maxBytes = this.#maxBytes
    const page = await this.#store.read(
      ({ events }) => events.readAll({ query, after, limit, maxBytes }),
      { apart: true },
    )
    return { items: page.messages.map(this.#toItem), through: page.through, full: page.more }
  }

  /** The same, but what another partition has read from there is not read again. */
  async shared(after: number, limit: number): Promise<ItemPage> {
    const known = this.#pages.get(after)
    if (known !== undefined) return known
    const page = await this.#reading.get(after)
    // One that came back empty may have begun before that was committed which woke the caller.
    return page !== undefined && page.items.length > 0 ? page : this.#begin(after, limit)
  }

  #begin(after: number, limit: number): Promise<ItemPage> {
    const reading = this.read(after, limit)
      .then((page) => {
        // Where nothing came there may be something by now.
        if (page.items.length > 0) this.#keep(after, page)
        return page
      })
      .finally(() => {
        if (this.#reading.get(after) === reading) this.#reading.delete(after)
      })
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
