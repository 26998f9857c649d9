/** Messages taken past a checkpoint without being done, by subscription and position. */
import type {
  Retries,
  Retry,
  RetrySummary,
  Share,
  TakeRetries,
  Upcoming,
} from '../../ports/retries.ts'
import { byBytes } from './order.ts'
import type { Journal } from './table.ts'
import { Waiting } from './waiting.ts'

export class MemoryRetries implements Retries {
  readonly #subscriptions = new Map<string, Waiting>()
  readonly #journal: Journal
  readonly #now: () => number

  constructor(journal: Journal, now: () => number) {
    this.#journal = journal
    this.#now = now
  }

  get size(): number {
    return [...this.#subscriptions.values()].reduce((sum, { size }) => sum + size, 0)
  }

  put(row: Retry): void {
    const waiting = this.#of(row.subscription)
    const first = waiting.first(row.key)
    const alone = row.state === 'queued' && (first === undefined || first.position >= row.position)
    waiting.save(alone ? { ...row, state: 'due', due: this.#now() } : row)
  }

  take(subscription: string, options: TakeRetries): readonly Retry[] {
    return this.#of(subscription).take(options)
  }

  settle(row: Pick<Retry, 'subscription' | 'position' | 'attempts'>, now: number): boolean {
    const waiting = this.#of(row.subscription)
    const stored = waiting.get(row.position)
    if (stored === undefined || stored.attempts !== row.attempts) return false
    waiting.delete(row.position)
    // Only the first that is left may go: the others still wait behind it.
    const first = waiting.first(stored.key)
    if (first?.state === 'queued') waiting.save({ ...first, state: 'due', due: now })
    return true
  }

  find(subscription: string, position: number): Retry | undefined {
    return this.#of(subscription).get(position)
  }

  parkedBefore({
    subscription,
    key,
    position,
  }: Pick<Retry, 'subscription' | 'key' | 'position'>): Retry | undefined {
    return this.#of(subscription).parkedBefore(key, position)
  }

  waitingAt(positions: readonly number[]): readonly number[] {
    const all = [...this.#subscriptions.values()]
    return [...new Set(positions)]
      .filter((position) => all.some((waiting) => waiting.get(position) !== undefined))
      .sort((left, right) => left - right)
  }

  blocked(subscription: string, keys: readonly string[]): readonly string[] {
    const waiting = this.#of(subscription)
    return keys.filter((key) => waiting.has(key))
  }

  summary(): readonly RetrySummary[] {
    return [...this.#subscriptions]
      .filter(([, { size }]) => size > 0)
      .map(([subscription]) => this.outlook(subscription))
      .sort((left, right) => byBytes(left.subscription, right.subscription))
  }

  outlook(subscription: string): RetrySummary {
    const waiting = this.#of(subscription)
    return { subscription, ...waiting.counts, next: waiting.due().first?.due ?? 0 }
  }

  upcoming(subscription: string, share?: Share): Upcoming {
    const waiting = this.#of(subscription)
    return { any: waiting.size > 0, next: waiting.due(share).first?.due ?? null }
  }

  clear(subscription: string): number {
    return this.#of(subscription).clear()
  }

  rename(from: string, to: string): number {
    const target = this.#of(to)
    for (const row of this.#of(from).values()) target.save({ ...row, subscription: to })
    return this.clear(from)
  }

  /** An empty one cannot be told from an absent one, so making it needs no rollback. */
  #of(subscription: string): Waiting {
    let waiting = this.#subscriptions.get(subscription)
    if (waiting === undefined)
      this.#subscriptions.set(subscription, (waiting = new Waiting(this.#journal)))
    return waiting
  }
}
