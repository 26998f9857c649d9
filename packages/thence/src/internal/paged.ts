/**
 * An async iterator over pages: items of a page are given without a new turn of a generator for each, which makes
 * reading a long stream markedly cheaper.
 */

/** Gives the next page, or `undefined` when there is none. */
export type NextPage<T> = () => Promise<readonly T[] | undefined>

class Paged<T> implements AsyncIterableIterator<T, undefined> {
  readonly #next: NextPage<T>
  #page: readonly T[] = []
  #index = 0
  /** Keeps calls to `next` in order when a caller does not wait for one before the other. */
  #loading: Promise<unknown> | undefined
  #done = false

  constructor(next: NextPage<T>) {
    this.#next = next
  }

  next(): Promise<IteratorResult<T, undefined>> {
    if (this.#loading === undefined && this.#index < this.#page.length)
      return Promise.resolve(this.#take())
    const loading = (this.#loading ?? Promise.resolve()).then(() => this.#load())
    const mine = loading
      .catch(() => undefined)
      .then(() => {
        if (this.#loading === mine) this.#loading = undefined
      })
    this.#loading = mine
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

  #take(): IteratorResult<T, undefined> {
    return { done: false, value: this.#page[this.#index++] as T }
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

/** Iterates over all items of all pages; stops asking for pages when the caller stops. */
export function paged<T>(next: NextPage<T>): AsyncIterableIterator<T, undefined> {
  return new Paged(next)
}
