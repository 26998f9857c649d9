/**
 * One who reads: it notes what it is given, in order, and at the end reads on until it has everything or is given nothing more.
 */
import type { Scene } from './scene.ts'
import type { TortureEvent, TortureReader } from './subject.ts'

const page = 500

const pause = (milliseconds: number): Promise<void> =>
  new Promise((resolve) => void setTimeout(resolve, milliseconds))

export class Subscriber {
  readonly name: string
  readonly events: TortureEvent[] = []
  readonly #scene: Scene
  readonly #reader: TortureReader
  #tail: Promise<unknown> = Promise.resolve()

  constructor(name: string, reader: TortureReader, scene: Scene) {
    this.name = name
    this.#reader = reader
    this.#scene = scene
  }

  /** Reads once, after what it does already. */
  poll(limit: number = page): Promise<void> {
    const work = this.#tail.then(() => this.#next(limit)).then(() => undefined)
    this.#tail = work
    this.#scene.watch(this, work)
    return work
  }

  /** Reads until it was given all of `ids` and nothing comes any more, or the time for that is over. Whether it was. */
  async drain(
    ids: readonly string[],
    within: number = this.#scene.limits.delivery,
  ): Promise<boolean> {
    await this.#tail
    const missing = new Set(ids)
    for (const { id } of this.events) missing.delete(id)
    let end = performance.now() + within
    for (;;) {
      const before = this.events.length
      const given = await this.#next(page)
      for (const { id } of this.events.slice(before)) missing.delete(id)
      if (given > 0) end = performance.now() + within
      else if (missing.size === 0) return true
      else if (performance.now() > end) return false
      else await pause(5)
    }
  }

  async stop(): Promise<void> {
    await this.#reader.stop?.()
  }

  async #next(limit: number): Promise<number> {
    try {
      const given = await this.#reader.next(limit)
      this.events.push(...given)
      return given.length
    } catch (error) {
      this.#scene.blame('failed', `${this.name} could not read: ${String(error)}`)
      return 0
    }
  }
}
