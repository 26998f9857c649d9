/**
 * A bound on what runs side by side, shared by all partitions of a subscription in this process, retries included.
 */
import { Line } from '../internal/line.ts'

/** Each kind has a line of its own. */
export type SlotKind = 'first' | 'retry'

export class Slots {
  #free: number
  readonly #lines: Readonly<Record<SlotKind, Line>> = { first: new Line(), retry: new Line() }
  #last: SlotKind = 'retry'

  /** @param size how many may run at once; at least 1. */
  constructor(size: number) {
    this.#free = size
  }

  /**
   * Runs `work` when there is room; in order of asking, and in turn if both kinds wait. Gives `undefined` if `signal` is
   * aborted before that.
   */
  async run<T>(
    kind: SlotKind,
    work: () => Promise<T>,
    signal: AbortSignal,
  ): Promise<T | undefined> {
    if (this.#free > 0) this.#free -= 1
    else if (!(await this.#lines[kind].wait(signal))) return undefined
    try {
      return await work()
    } finally {
      if (!this.#next()) this.#free += 1
    }
  }

  #next(): boolean {
    const other = this.#last === 'first' ? 'retry' : 'first'
    if (!this.#lines[other].isEmpty) this.#last = other
    return this.#lines[this.#last].next()
  }
}
