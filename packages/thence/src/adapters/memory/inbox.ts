/** What each consumer was done with, by message id. */
import type { Appended } from '../../ports/events.ts'
import type { Inbox } from '../../ports/inbox.ts'
import { type Journal, Tables } from './table.ts'

export class MemoryInbox implements Inbox {
  readonly #consumers: Tables<string, Appended>

  constructor(journal: Journal) {
    this.#consumers = new Tables(journal)
  }

  get size(): number {
    return this.#consumers.size
  }

  remember(consumer: string, id: string, outcome: Appended): boolean {
    const rows = this.#consumers.of(consumer)
    if (rows.get(id) !== undefined) return false
    rows.set(id, Object.freeze({ ...outcome }))
    return true
  }

  recall(consumer: string, id: string): Appended | undefined {
    return this.#consumers.of(consumer).get(id)
  }

  forget(consumer: string, through: number): number {
    return this.#consumers.of(consumer).deleteWhere(({ position }) => position <= through)
  }
}
