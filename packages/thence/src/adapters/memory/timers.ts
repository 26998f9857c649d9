/** Messages for later, by id. */
import type { NewTimer, Timer, TimerPlace, Timers, UpcomingOptions } from '../../ports/timers.ts'
import { byBytes, page } from './order.ts'
import { frozenCopy, type Journal, Table } from './table.ts'

const byPlace = (left: TimerPlace, right: TimerPlace): number =>
  left.next - right.next || byBytes(left.id, right.id)

const pageOf = (
  rows: Timer[],
  { after, limit }: { readonly after?: TimerPlace; readonly limit: number },
): readonly Timer[] =>
  rows
    .filter((row) => after === undefined || byPlace(row, after) > 0)
    .sort(byPlace)
    .slice(0, limit)

export class MemoryTimers implements Timers {
  readonly #rows: Table<string, Timer>
  readonly #now: () => number

  constructor(journal: Journal, now: () => number) {
    this.#rows = new Table(journal)
    this.#now = now
  }

  get size(): number {
    return this.#rows.size
  }

  now(): number {
    return this.#now()
  }

  set({ id, owner, due: when, stream, message }: NewTimer): number {
    const due = typeof when === 'number' ? when : this.#now() + when.in
    const fresh = { next: Math.max(1, due), attempts: 0, error: null }
    this.#save({ id, owner, due, stream, message, ...fresh })
    return due
  }

  find(id: string): Timer | undefined {
    return this.#rows.get(id)
  }

  cancel(id: string): boolean {
    return this.#rows.delete(id)
  }

  cancelAll(owner: string): number {
    return this.#rows.deleteWhere((timer) => timer.owner === owner)
  }

  due(options: { readonly after?: TimerPlace; readonly limit: number }): readonly Timer[] {
    const now = this.#now()
    const rows = this.#rows.values().filter(({ next }) => next > 0 && next <= now)
    return pageOf(rows, options)
  }

  wait(): number | undefined {
    const now = Math.max(0, this.#now())
    let wait: number | undefined
    for (const { next } of this.#rows.values())
      if (next > now && (wait === undefined || next - now < wait)) wait = next - now
    return wait
  }

  fail(
    id: string,
    { error, retryIn }: { readonly error: string; readonly retryIn: number | null },
  ): boolean {
    const row = this.#rows.get(id)
    if (row === undefined) return false
    const next = retryIn === null ? 0 : Math.max(1, this.#now() + retryIn)
    this.#save({ ...row, next, attempts: row.attempts + 1, error })
    return true
  }

  hurry(id: string): boolean {
    const row = this.#rows.get(id)
    if (row === undefined) return false
    this.#save({ ...row, next: Math.max(1, this.#now()), attempts: 0, error: null })
    return true
  }

  failed(): number {
    return this.#rows.values().filter(({ next }) => next === 0).length
  }

  upcoming({ owner, ...options }: UpcomingOptions): readonly Timer[] {
    const rows = this.#rows.values().filter((row) => owner === undefined || row.owner === owner)
    return pageOf(rows, options)
  }

  list(options: { readonly after?: string; readonly limit: number }): readonly Timer[] {
    return page(this.#rows.values(), ({ id }) => id, options)
  }

  #save(row: Timer): void {
    this.#rows.set(row.id, frozenCopy(row))
  }
}
