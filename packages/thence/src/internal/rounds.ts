/**
 * Work that is done in rounds, one at a time: when it is woken, and when as long has passed as the round before has said.
 * A wake-up in the middle of a round is not lost: another round follows.
 */

/** Calls back after so many milliseconds; gives how to stop that. */
type After = (delay: number, callback: () => void) => () => void

export class Rounds {
  readonly #after: After
  readonly #round: () => Promise<number>
  #cancel: () => void = () => undefined
  #running: Promise<void> | undefined
  #stopped = true
  #again = false

  /** @param round does one; gives the milliseconds until the next, and never throws. */
  constructor(after: After, round: () => Promise<number>) {
    this.#after = after
    this.#round = round
  }

  /** Whether a round that is under way is to come to its end. */
  get stopped(): boolean {
    return this.#stopped
  }

  /** @param first the milliseconds until the first round, if nothing wakes it before. */
  start(first = 0): void {
    this.#stopped = false
    if (first === 0 || this.#again) this.wake()
    else this.#cancel = this.#after(first, () => this.wake())
  }

  /** Begins no other round; resolves when the one under way is done. */
  async stop(): Promise<void> {
    this.#stopped = true
    this.#cancel()
    await this.#running
  }

  /** There may be something to do. */
  wake(): void {
    this.#again = true
    if (this.#stopped || this.#running !== undefined) return
    this.#running = this.#run().finally(() => {
      this.#running = undefined
      if (this.#again) this.wake()
    })
  }

  async #run(): Promise<void> {
    this.#cancel()
    this.#again = false
    const delay = await this.#round()
    if (!this.#stopped) this.#cancel = this.#after(delay, () => this.wake())
  }
}
