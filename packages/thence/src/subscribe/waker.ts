/**
 * A bell that remembers one ring: waking it while nobody waits makes the next wait return at once.
 */
export class Waker {
  #rung = false
  #waiting: (() => void) | undefined

  wake(): void {
    this.#rung = true
    this.#waiting?.()
  }

  clear(): void {
    this.#rung = false
  }

  async wait(): Promise<void> {
    if (!this.#rung) await new Promise<void>((resolve) => (this.#waiting = resolve))
    this.#rung = false
    this.#waiting = undefined
  }
}
