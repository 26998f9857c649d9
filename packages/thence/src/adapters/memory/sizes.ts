/** How large the store is: everything is counted when one asks. */
import { bytesOf } from '../../internal/room.ts'
import { categoryOf } from '../../message/name.ts'
import type { CategorySize, SizedTable, Sizes, StoreSize, TableSize } from '../../ports/sizes.ts'
import type { MemoryEvents } from './events.ts'
import { byBytes } from './order.ts'

/** What can be counted. */
export type Counted = Readonly<Record<SizedTable, { readonly size: number }>>

export class MemorySizes implements Sizes {
  readonly #events: MemoryEvents
  readonly #tables: Counted

  constructor(events: MemoryEvents, tables: Counted) {
    this.#events = events
    this.#tables = tables
  }

  /** There is nothing to remember: counting in memory is quick. */
  measure(): number {
    return 0
  }

  read(most: number): StoreSize {
    const { audit, deadLetters, documents, inbox, jobs, retries, snapshots, timers } = this.#tables
    const count = ({ size }: { readonly size: number }): TableSize => ({
      rows: Math.min(size, most),
      more: size > most,
    })
    return {
      bytes: 0,
      categories: this.#categories(),
      tables: {
        audit: count(audit),
        deadLetters: count(deadLetters),
        documents: count(documents),
        inbox: count(inbox),
        jobs: count(jobs),
        retries: count(retries),
        snapshots: count(snapshots),
        timers: count(timers),
      },
    }
  }

  #categories(): readonly CategorySize[] {
    const sizes = new Map<string, CategorySize>()
    const of = (stream: string): CategorySize => {
      const category = categoryOf(stream)
      const before = sizes.get(category)
      if (before !== undefined) return before
      return { category, messages: 0, bytes: 0, streams: 0, ...this.#events.removed(category) }
    }
    for (const { stream } of this.#events.streams({ limit: Infinity })) {
      const size = of(stream)
      sizes.set(size.category, { ...size, streams: size.streams + 1 })
    }
    for (const message of this.#events.all()) {
      const size = of(message.stream)
      const { messages, bytes } = size
      sizes.set(size.category, { ...size, messages: messages + 1, bytes: bytes + bytesOf(message) })
    }
    return [...sizes.values()].sort((left, right) => byBytes(left.category, right.category))
  }
}
