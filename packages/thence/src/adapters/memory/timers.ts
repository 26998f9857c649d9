/** Messages for later, by id. */
import type { Timer, Timers } from '../../ports/timers.ts'
import { byBytes, page } from './order.ts'
import { frozenCopy, type Journal, Table } from './table.ts'

export class MemoryTimers implements Timers {
  readonly #rows: Table<string, Timer>

  constructor(journal: Journal) {
    this.#rows = new Table(journal)
  }

  get size(): number {
    return this.#rows.size
  }

  set(timer: Timer): void {
    this.#rows.set(timer.id, frozenCopy(timer))
  }

  cancel(id: string): boolean {
    return this.#rows.delete(id)
  }

  cancelAll(owner: string): number {
    return this.#rows.deleteWhere((timer) => timer.owner === owner)
  }

  due(now: number, limit: number): readonly Timer[] {
    return this.#rows
      .values()
      .filter(({ due }) => due <= now)
      .sort((left, right) => left.due - right.due || byBytes(left.id, right.id))
      .slice(0, limit)
  }

  next(): number | undefined {
    let next: number | undefined
    for (const { due } of this.#rows.values()) if (next === undefined || due < next) next = due
    return next
  }

  list(options: { readonly after?: string; readonly limit: number }): readonly Timer[] {
    return page(this.#rows.values(), ({ id }) => id, options)
  }
}
