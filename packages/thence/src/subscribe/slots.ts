/**
 * A bound on what runs side by side, shared by all partitions of a subscription in this process, retries included.
 */

/** Each kind has a line of its own. */
export type SlotKind = 'first' | 'retry'

interface Waiting {
  readonly go: (may: boolean) => void
}

export class Slots {
  #free: number
  readonly #waiting: Readonly<Record<SlotKind, Set<Waiting>>> = {
    first: new Set(),
    retry: new Set(),
  }
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
    else if (!(await this.#turn(this.#waiting[kind], signal))) return undefined
    try {
      return await work()
    } finally {
      const next = this.#next()
      if (next === undefined) this.#free += 1
      else next.go(true)
    }
  }

  #turn(line: Set<Waiting>, signal: AbortSignal): Promise<boolean> {
    if (signal.aborted) return Promise.resolve(false)
    const { promise, resolve } = Promise.withResolvers<boolean>()
    const aborted = (): void => waiting.go(false)
    const waiting: Waiting = {
      go: (may) => {
        line.delete(waiting)
        signal.removeEventListener('abort', aborted)
        resolve(may)
      },
    }
    line.add(waiting)
    signal.addEventListener('abort', aborted, { once: true })
    return promise
  }

  #next(): Waiting | undefined {
    const other = this.#last === 'first' ? 'retry' : 'first'
    if (this.#waiting[other].size > 0) this.#last = other
    const [next] = this.#waiting[this.#last]
    return next
  }
}
