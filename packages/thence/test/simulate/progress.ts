// How far the work is: told to people while it goes on, so on stderr, beside the results.
interface Progress {
  readonly done: number
  readonly total: number
  /** Of what. */
  readonly what: string
  /** What else is worth telling. */
  readonly more?: string
}

/** Milliseconds between two lines where nobody watches a terminal. */
const tellEvery = 10_000

const duration = (seconds: number): string => {
  const minutes = Math.floor(seconds / 60)
  return minutes === 0 ? `${Math.ceil(seconds)} s` : `${minutes} min ${Math.ceil(seconds % 60)} s`
}

/** How far it is, how fast, and how long it will take. */
export const lineOf = ({ done, total, what, more }: Progress, seconds: number): string => {
  const rate = done / Math.max(seconds, 0.001)
  const left = done === 0 ? '' : `, ${duration((total - done) / rate)} left`
  return `${done} of ${total} ${what}, ${rate.toFixed(1)} a second${left}${more === undefined ? '' : `; ${more}`}`
}

/** Tells progress: at a terminal always, in one line; else from time to time. */
export class Teller {
  readonly #begun = performance.now()
  readonly #isTerminal = process.stderr.isTTY
  #told = -Infinity

  get seconds(): number {
    return (performance.now() - this.#begun) / 1000
  }

  tell(progress: Progress): void {
    const now = performance.now()
    const isDue = now - this.#told >= tellEvery || progress.done === progress.total
    if (!this.#isTerminal && !isDue) return
    this.#told = now
    const line = lineOf(progress, this.seconds)
    process.stderr.write(this.#isTerminal ? `\r${line}\u001b[K` : `${line}\n`)
  }

  end(): void {
    if (this.#isTerminal) process.stderr.write('\r\u001b[K')
  }
}
