/**
 * The rows of one subscription that wait, found by position, by key and by when they are due, so that no call has to look at
 * all of them. What finds them follows each change of a row, also one that is rolled back.
 */
import type { Retry, RetryState, Share, TakeRetries } from '../../ports/retries.ts'
import { Sorted } from './sorted.ts'
import { frozenCopy, type Journal, Table } from './table.ts'

const byPosition = (left: Retry, right: Retry): number => left.position - right.position
const byDue = (left: Retry, right: Retry): number => left.due - right.due || byPosition(left, right)

const everything: Share = { partition: 0, partitions: 1 }

export class Waiting {
  readonly #rows: Table<number, Retry>
  readonly #counts: Record<RetryState, number> = { due: 0, parked: 0, queued: 0 }
  readonly #keys = new Map<string, Sorted<Retry>>()
  /** What is due, by share, for each number of partitions that was asked for. */
  readonly #due = new Map<number, readonly Sorted<Retry>[]>([[1, [new Sorted(byDue)]]])

  constructor(journal: Journal) {
    this.#rows = new Table(journal, (before, after) => this.#changed(before, after))
  }

  get size(): number {
    return this.#rows.size
  }

  get counts(): Readonly<Record<RetryState, number>> {
    return this.#counts
  }

  get(position: number): Retry | undefined {
    return this.#rows.get(position)
  }

  values(): readonly Retry[] {
    return this.#rows.values()
  }

  save(row: Retry): void {
    this.#rows.set(row.position, frozenCopy(row))
  }

  delete(position: number): void {
    this.#rows.delete(position)
  }

  clear(): number {
    return this.#rows.deleteWhere(() => true)
  }

  has(key: string): boolean {
    return this.#keys.has(key)
  }

  /** The earliest row of a key. */
  first(key: string): Retry | undefined {
    return this.#keys.get(key)?.first
  }

  /** The earliest row of a key that is parked, of those before a position. */
  parkedBefore(key: string, position: number): Retry | undefined {
    const before = this.#keys.get(key)?.head(Infinity, (row) => row.position < position)
    return before?.find(({ state }) => state === 'parked')
  }

  /** What is due of a share, by due time, then position. */
  due({ partition, partitions }: Share = everything): Sorted<Retry> {
    let shares = this.#due.get(partitions)
    if (shares === undefined) {
      shares = Array.from({ length: partitions }, () => new Sorted(byDue))
      for (const row of this.due().head(Infinity, () => true))
        shares[row.hash % partitions]?.add(row)
      this.#due.set(partitions, shares)
    }
    return shares[partition] as Sorted<Retry>
  }

  /** What may be tried now. */
  take({ now, limit, share }: TakeRetries): readonly Retry[] {
    const taken: Retry[] = []
    for (const row of this.due(share)) {
      if (taken.length >= limit || row.due > now) break
      if (this.#isFirstDue(row, now)) taken.push(row)
    }
    return taken
  }

  #isFirstDue({ key, position }: Retry, now: number): boolean {
    for (const one of this.#keys.get(key) ?? [])
      if (one.state === 'due' && one.due <= now) return one.position === position
    return false
  }

  #changed(before: Retry | undefined, after: Retry | undefined): void {
    if (before !== undefined) this.#forget(before)
    if (after !== undefined) this.#find(after)
  }

  #forget(row: Retry): void {
    this.#counts[row.state] -= 1
    const own = this.#keys.get(row.key)
    own?.remove(row)
    if (own !== undefined && own.first === undefined) this.#keys.delete(row.key)
    if (row.state !== 'due') return
    for (const shares of this.#due.values()) shares[row.hash % shares.length]?.remove(row)
  }

  #find(row: Retry): void {
    this.#counts[row.state] += 1
    let own = this.#keys.get(row.key)
    if (own === undefined) this.#keys.set(row.key, (own = new Sorted(byPosition)))
    own.add(row)
    if (row.state !== 'due') return
    for (const shares of this.#due.values()) shares[row.hash % shares.length]?.add(row)
  }
}
