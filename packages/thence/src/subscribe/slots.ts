/**
 * A bound on what runs side by side, shared by all partitions of a subscription in this process.
 */
export class Slots {
  #free: number
  readonly #waiting: (() => void)[] = []

  /** @param size how many may run at once; at least 1. */
  constructor(size: number) {
    this.#free = size
  }

  /** Runs `work` when there is room; in order of asking. */
  async run<T>(work: () => Promise<T>): Promise<T> {
    if (this.#free > 0) this.#free -= 1
    else await new Promise<void>((resolve) => this.#waiting.push(resolve))
    try {
      return await work()
    } finally {
      const next = this.#waiting.shift()
      if (next === undefined) this.#free += 1
      else next()
    }
  }
}
