/** A list that stays in order, so that what is sought in it is found by halving. */

export class Sorted<T> {
  readonly #items: T[] = []
  readonly #compare: (left: T, right: T) => number

  /** @param compare 0 for what is the same item only. */
  constructor(compare: (left: T, right: T) => number) {
    this.#compare = compare
  }

  get size(): number {
    return this.#items.length
  }

  get first(): T | undefined {
    return this.#items[0]
  }

  add(item: T): void {
    this.#items.splice(this.#placeOf(item), 0, item)
  }

  /** Does nothing if it is not there. */
  remove(item: T): void {
    const at = this.#placeOf(item)
    const found = this.#items[at]
    if (found !== undefined && this.#compare(found, item) === 0) this.#items.splice(at, 1)
  }

  /** The first ones, at most `limit`, as long as `wanted` says so. */
  head(limit: number, wanted: (item: T) => boolean): T[] {
    const taken: T[] = []
    for (const item of this.#items) {
      if (taken.length >= limit || !wanted(item)) break
      taken.push(item)
    }
    return taken
  }

  /** Where it stands, or would stand. */
  #placeOf(item: T): number {
    let [from, to] = [0, this.#items.length]
    while (from < to) {
      const middle = (from + to) >>> 1
      if (this.#compare(this.#items[middle] as T, item) < 0) from = middle + 1
      else to = middle
    }
    return from
  }
}
