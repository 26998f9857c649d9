/**
 * Who listens to a store in memory; see ports/listening.ts. There is no connection that could be lost.
 */
import { contextOfNow } from '../../internal/context.ts'
import type { Listener, Listening } from '../../ports/listening.ts'

export class MemoryListening implements Listening {
  readonly #all: Set<Listener>
  /** What is in the set, so that one listener may listen twice. */
  readonly #own: Listener

  constructor(all: Set<Listener>, listener: Listener) {
    this.#all = all
    // Whoever commits is inside of a transaction; who is told is not.
    const outside = contextOfNow()
    this.#own = {
      heard: (head) => {
        if (this.live) outside(() => listener.heard(head))
      },
      lost: () => undefined,
    }
    all.add(this.#own)
    void later(() => this.#own.heard())
  }

  get live(): boolean {
    return this.#all.has(this.#own)
  }

  async stop(): Promise<void> {
    this.#all.delete(this.#own)
  }
}

/** Outside of whoever has committed. */
const later = (work: () => void): Promise<void> => Promise.resolve().then(work)

export function tellAll(all: ReadonlySet<Listener>, head: number): void {
  for (const listener of all) void later(() => listener.heard(head))
}
