/** What each consumer was done with, by message id. */
import type { Inbox, Outcome, Remembered, Remembering } from '../../ports/inbox.ts'
import { byBytes } from './order.ts'
import { type Journal, Table } from './table.ts'

interface Row extends Remembered {
  readonly consumer: string
  readonly id: string
}

const keyOf = (consumer: string, id: string): string => JSON.stringify([consumer, id])

export class MemoryInbox implements Inbox {
  readonly #rows: Table<string, Row>
  readonly #now: () => number

  constructor(journal: Journal, now: () => number) {
    this.#rows = new Table(journal)
    this.#now = now
  }

  get size(): number {
    return this.#rows.size
  }

  remember(consumer: string, id: string, outcome: Remembering): boolean {
    const key = keyOf(consumer, id)
    if (this.#rows.get(key) !== undefined) return false
    this.#rows.set(key, { consumer, id, ...outcome, time: this.#now() })
    return true
  }

  conclude(consumer: string, id: string, outcome: Outcome): boolean {
    const key = keyOf(consumer, id)
    const row = this.#rows.get(key)
    if (row === undefined) return false
    const { time, digest } = row
    const kept = digest === undefined ? { time } : { time, digest }
    this.#rows.set(key, { consumer, id, ...outcome, ...kept })
    return true
  }

  recall(consumer: string, id: string): Remembered | undefined {
    const row = this.#rows.get(keyOf(consumer, id))
    if (row === undefined) return undefined
    const { consumer: _, id: __, ...remembered } = row
    return remembered
  }

  trim(before: number, limit: number): number {
    const old = this.#rows
      .values()
      .filter(({ time }) => time < before)
      .sort(
        (left, right) =>
          left.time - right.time ||
          byBytes(left.consumer, right.consumer) ||
          byBytes(left.id, right.id),
      )
      .slice(0, limit)
    for (const { consumer, id } of old) this.#rows.delete(keyOf(consumer, id))
    return old.length
  }
}
