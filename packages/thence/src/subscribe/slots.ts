/**
 * A bound on what runs side by side, shared by all partitions of a subscription in this process, retries included.
 */

/** Each kind has a line of its own. */
export type SlotKind = 'first' | 'retry'

export class Slots {
  #free: number
  readonly #waiting: Readonly<Record<SlotKind, (() => void)[]>> = { first: [], retry: [] }
  #last: SlotKind = 'retry'

  /** @param size how many may run at once; at least 1. */
  constructor(size: number) {
    this.#free = size
  }

  /** Runs `work` when there is room; in order of asking, and in turn if both kinds wait. */
  async run<T>(kind: SlotKind, work: () => Promise<T>): Promise<T> {
    if (this.#free > 0) this.#free -= 1
    else await new Promise<void>((resolve) => this.#waiting[kind].push(resolve))
    try {
      return await work()
    } finally {
      const next = this.#next()
      if (next === undefined) this.#free += 1
      else next()
    }
  }

  #next(): (() => void) | undefined {
    const other = this.#last === 'first' ? 'retry' : 'first'
    if (this.#waiting[other].length > 0) this.#last = other
    return this.#waiting[this.#last].shift()
  }
}
