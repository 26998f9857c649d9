/**
 * What is planned, by time and then in the order in which it was planned: a binary heap, because a simulation plans and
 * takes back many thousands of things.
 */

export interface Planned {
  readonly at: number
  readonly order: number
  /** Nothing once it was taken back. */
  run: (() => void) | undefined
}

const isBefore = (one: Planned, other: Planned): boolean =>
  one.at < other.at || (one.at === other.at && one.order < other.order)

export class Agenda {
  readonly #heap: Planned[] = []
  #order = 0

  get first(): Planned | undefined {
    return this.#heap[0]
  }

  add(at: number, run: () => void): Planned {
    const planned: Planned = { at, order: (this.#order += 1), run }
    const heap = this.#heap
    let index = heap.length
    heap.push(planned)
    while (index > 0) {
      const parent = (index - 1) >> 1
      const above = heap[parent] as Planned
      if (!isBefore(planned, above)) break
      heap[index] = above
      index = parent
    }
    heap[index] = planned
    return planned
  }

  /** Removes and gives the first. */
  take(): Planned | undefined {
    const heap = this.#heap
    const first = heap[0]
    const last = heap.pop()
    if (first === undefined || last === undefined || first === last) return first
    let index = 0
    for (;;) {
      let child = 2 * index + 1
      if (child >= heap.length) break
      if (child + 1 < heap.length && isBefore(heap[child + 1] as Planned, heap[child] as Planned))
        child += 1
      const below = heap[child] as Planned
      if (!isBefore(below, last)) break
      heap[index] = below
      index = child
    }
    heap[index] = last
    return first
  }
}
