/** Messages taken past a checkpoint without being done, by subscription and position. */
import type {
  Retries,
  Retry,
  RetryState,
  RetrySummary,
  Share,
  TakeRetries,
  Upcoming,
} from '../../ports/retries.ts'
import { byBytes } from './order.ts'
import { frozenCopy, type Journal, Tables } from './table.ts'

const byPosition = (left: Retry, right: Retry): number => left.position - right.position

export class MemoryRetries implements Retries {
  readonly #rows: Tables<number, Retry>
  readonly #now: () => number

  constructor(journal: Journal, now: () => number) {
    this.#rows = new Tables(journal)
    this.#now = now
  }

  get size(): number {
    return this.#rows.size
  }

  put(row: Retry): void {
    const alone = row.state === 'queued' && !this.#hasEarlier(row)
    this.#save(alone ? { ...row, state: 'due', due: this.#now() } : row)
  }

  take(subscription: string, { now, limit, share }: TakeRetries): readonly Retry[] {
    return this.#all(subscription, share)
      .filter(({ state, due }) => state === 'due' && due <= now)
      .sort((left, right) => left.due - right.due || byPosition(left, right))
      .slice(0, limit)
  }

  settle(row: Pick<Retry, 'subscription' | 'position' | 'attempts'>, now: number): boolean {
    const stored = this.find(row.subscription, row.position)
    if (stored === undefined || stored.attempts !== row.attempts) return false
    this.#rows.of(row.subscription).delete(row.position)
    // Only the first that is left may go: the others still wait behind it.
    const [first] = this.#all(row.subscription)
      .filter(({ key }) => key === stored.key)
      .sort(byPosition)
    if (first?.state === 'queued') this.#save({ ...first, state: 'due', due: now })
    return true
  }

  find(subscription: string, position: number): Retry | undefined {
    return this.#rows.of(subscription).get(position)
  }

  waitingAt(positions: readonly number[]): readonly number[] {
    const tables = this.#rows.all()
    return [...new Set(positions)]
      .filter((position) => tables.some((rows) => rows.get(position) !== undefined))
      .sort((left, right) => left - right)
  }

  blocked(subscription: string, keys: readonly string[]): readonly string[] {
    const taken = new Set(this.#all(subscription).map(({ key }) => key))
    return keys.filter((key) => taken.has(key))
  }

  summary(): readonly RetrySummary[] {
    const filled = this.#rows
      .all()
      .map((table) => table.values())
      .filter((rows) => rows.length > 0)
    return filled
      .map((rows) => summarise(rows[0]?.subscription ?? '', rows))
      .sort((left, right) => byBytes(left.subscription, right.subscription))
  }

  outlook(subscription: string): RetrySummary {
    return summarise(subscription, this.#all(subscription))
  }

  upcoming(subscription: string, share?: Share): Upcoming {
    const due = this.#all(subscription, share).filter(({ state }) => state === 'due')
    return {
      any: this.#all(subscription).length > 0,
      next: due.length === 0 ? null : Math.min(...due.map((row) => row.due)),
    }
  }

  clear(subscription: string): number {
    return this.#rows.of(subscription).deleteWhere(() => true)
  }

  rename(from: string, to: string): number {
    const rows = this.#all(from)
    for (const row of rows) this.#save({ ...row, subscription: to })
    return this.clear(from)
  }

  #all(subscription: string, share: Share = { partition: 0, partitions: 1 }): Retry[] {
    const rows = this.#rows.of(subscription).values()
    return rows.filter(({ hash }) => hash % share.partitions === share.partition)
  }

  #hasEarlier({ subscription, key, position }: Retry): boolean {
    return this.#all(subscription).some((row) => row.key === key && row.position < position)
  }

  #save(row: Retry): void {
    this.#rows.of(row.subscription).set(row.position, frozenCopy(row))
  }
}

function summarise(subscription: string, rows: readonly Retry[]): RetrySummary {
  const count = (state: RetryState): number => rows.filter((row) => row.state === state).length
  const dues = rows.filter(({ state }) => state === 'due').map(({ due }) => due)
  return {
    subscription,
    due: dues.length,
    parked: count('parked'),
    queued: count('queued'),
    next: dues.length === 0 ? 0 : dues.reduce((left, right) => Math.min(left, right)),
  }
}
