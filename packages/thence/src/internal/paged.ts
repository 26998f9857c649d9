/**
 * An async iterator over pages: items of a page are given without a new turn of a generator for each, which makes
 * reading a long stream markedly cheaper.
 */

/** Gives the next page, or `undefined` when there is none. */
export type NextPage<T> = () => Promise<readonly T[] | undefined>

const ignore = (): void => undefined

class Paged<T> implements AsyncIterableIterator<T, undefined> {
  readonly #next: NextPage<T>
  #page: readonly T[] = []
  #index = 0
  /** Keeps calls to `next` in order when a caller does not wait for one before the other. */
  #last: Promise<unknown> = Promise.resolve()
  /** How many of these calls are not answered yet: none by the time that its answer is heard. */
  #waiting = 0
  #done = false

  constructor(next: NextPage<T>) {
    this.#next = next
  }

  next(): Promise<IteratorResult<T, undefined>> {
    if (this.#waiting === 0 && this.#index < this.#page.length) return Promise.resolve(this.#take())
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
