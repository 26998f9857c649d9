/**
 * A list that stays in order, so that what is sought in it is found by halving. It is kept in chunks: what comes or goes
 * moves the rest of one chunk, not of the list.
 */

/** How many at the beginning of a list are before something. */
const before = <T>(items: readonly T[], is: (item: T) => boolean): number => {
  let [from, to] = [0, items.length]
  while (from < to) {
    const middle = (from + to) >>> 1
    if (is(items[middle] as T)) from = middle + 1
    else to = middle
  }
  return from
}

export class Sorted<T> {
  /** None is empty. */
  readonly #chunks: T[][] = []
  readonly #compare: (left: T, right: T) => number
  readonly #most: number

  /**
   * @param compare 0 for what is the same item only.
   * @param most items of a chunk.
   */
  constructor(compare: (left: T, right: T) => number, most = 512) {
    this.#compare = compare
    this.#most = most
  }

  get first(): T | undefined {
    return this.#chunks[0]?.[0]
  }

  *[Symbol.iterator](): Iterator<T> {
    for (const chunk of this.#chunks) yield* chunk
  }

  add(item: T): void {
    const index = this.#chunkOf(item)
    const chunk = this.#chunks[index]
    if (chunk === undefined) return void this.#chunks.push([item])
    chunk.splice(this.#placeIn(chunk, item), 0, item)
    if (chunk.length > this.#most) this.#chunks.splice(index + 1, 0, chunk.splice(this.#most / 2))
  }

  /** Does nothing if it is not there. */
  remove(item: T): void {
    const index = this.#chunkOf(item)
    const chunk = this.#chunks[index] ?? []
    const at = this.#placeIn(chunk, item)
    const found = chunk[at]
    if (found === undefined || this.#compare(found, item) !== 0) return
    chunk.splice(at, 1)
    if (chunk.length === 0) this.#chunks.splice(index, 1)
  }

  /** The first ones, at most `limit`, as long as `wanted` says so. */
  head(limit: number, wanted: (item: T) => boolean): T[] {
    const taken: T[] = []
    for (const chunk of this.#chunks)
      for (const item of chunk) {
        if (taken.length >= limit || !wanted(item)) return taken
        taken.push(item)
      }
    return taken
  }

  /** The chunk in which it stands, or would stand. */
  #chunkOf(item: T): number {
    const isNotAfter = ([first]: T[]): boolean => this.#compare(first as T, item) <= 0
    return Math.max(0, before(this.#chunks, isNotAfter) - 1)
  }

  #placeIn(chunk: readonly T[], item: T): number {
    return before(chunk, (one) => this.#compare(one, item) < 0)
  }
}
