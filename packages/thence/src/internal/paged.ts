/**
 * An async iterator over pages: items of a page are given without a new turn of a generator for each, and made one by one, which
 * makes reading a long stream markedly cheaper.
 */

/** Gives the next page, or `undefined` when there is none. */
export type NextPage<T> = () => Promise<readonly T[] | undefined>

const ignore = (): void => undefined

class Paged<Item, T> implements AsyncIterableIterator<T, undefined> {
  readonly #next: NextPage<Item>
  readonly #make: (item: Item) => T
  #page: readonly Item[] = []
  #index = 0
  /** Keeps calls to `next` in order when a caller does not wait for one before the other. */
  #last: Promise<unknown> = Promise.resolve()
  /** How many of these calls are not answered yet: none by the time that its answer is heard. */
  #waiting = 0
  #done = false

  constructor(next: NextPage<Item>, make: (item: Item) => T) {
    this.#next = next
    this.#make = make
  }

  next(): Promise<IteratorResult<T, undefined>> {
    if (this.#waiting === 0 && this.#index < this.#page.length) return this.#given()
    this.#waiting += 1
    const loading = this.#last
      .then(() => this.#load())
      .finally(() => {
        this.#waiting -= 1
      })
    this.#last = loading.then(ignore, ignore)
    return loading
  }

  return(): Promise<IteratorResult<T, undefined>> {
    this.#done = true
    this.#page = []
    return Promise.resolve({ done: true, value: undefined })
  }

  [Symbol.asyncIterator](): this {
    return this
  }

  async #given(): Promise<IteratorResult<T, undefined>> {
    return this.#take()
  }

  /** Where the item cannot be made, it is still the next one. */
  #take(): IteratorResult<T, undefined> {
    const value = this.#make(this.#page[this.#index] as Item)
    this.#index += 1
    return { done: false, value }
  }

  async #load(): Promise<IteratorResult<T, undefined>> {
    while (!this.#done && this.#index >= this.#page.length) {
      const page = await this.#next()
      this.#page = page ?? []
      this.#index = 0
      this.#done = page === undefined
    }
    return this.#index < this.#page.length ? this.#take() : { done: true, value: undefined }
  }
}

/**
 * Iterates over all items of all pages; stops asking for pages when the caller stops.
 * @param make what is given for an item: made when it is asked for, so that it is young when the caller is done with it, and
 * what nobody comes to is not made.
 */
export function paged<Item, T>(
  next: NextPage<Item>,
  make: (item: Item) => T,
): AsyncIterableIterator<T, undefined> {
  return new Paged(next, make)
}
