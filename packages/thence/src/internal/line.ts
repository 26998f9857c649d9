/**
 * A line in which everybody waits for a turn, in order, or is told to give up and leaves it.
 */

export class Line {
  readonly #waiting = new Set<(may: boolean) => void>()

  get isEmpty(): boolean {
    return this.#waiting.size === 0
  }

  /** Resolves to true when it is one's turn, or to false when `signal` is aborted before that. */
  wait(signal: AbortSignal): Promise<boolean> {
    if (signal.aborted) return Promise.resolve(false)
    const { promise, resolve } = Promise.withResolvers<boolean>()
    const aborted = (): void => go(false)
    const go = (may: boolean): void => {
      this.#waiting.delete(go)
      signal.removeEventListener('abort', aborted)
      resolve(may)
    }
    this.#waiting.add(go)
    signal.addEventListener('abort', aborted, { once: true })
    return promise
  }

  /** It is the turn of the first; returns whether anybody waits. */
  next(): boolean {
    const [go] = this.#waiting
    go?.(true)
    return go !== undefined
  }
}
