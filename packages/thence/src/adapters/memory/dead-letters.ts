/** Messages that exhausted their retries; one letter per subscription and position. */
import type { DeadLetter, DeadLetters, DeadLetterState } from '../../ports/dead-letters.ts'
import { page } from './order.ts'
import { frozenCopy, type Journal, Table, Tables } from './table.ts'

export class MemoryDeadLetters implements DeadLetters {
  readonly #letters: Table<string, DeadLetter>
  readonly #ids: Tables<number, string>

  constructor(journal: Journal) {
    this.#letters = new Table(journal)
    this.#ids = new Tables(journal)
  }

  get size(): number {
    return this.#letters.size
  }

  add(letter: DeadLetter): void {
    const { subscription, message } = letter
    const old = this.find(subscription, message.position)
    const merged: DeadLetter = old
      ? { ...letter, id: old.id, message: old.message, state: 'parked' }
      : letter
    this.#ids.of(subscription).set(message.position, merged.id)
    this.#letters.set(merged.id, frozenCopy(merged))
  }

  mark(
    id: string,
    {
      from,
      to,
      reason,
    }: {
      readonly from: DeadLetterState
      readonly to: DeadLetterState
      readonly reason?: string
    },
  ): boolean {
    const letter = this.#letters.get(id)
    if (letter?.state !== from) return false
    this.#letters.set(id, frozenCopy({ ...letter, state: to, reason: reason ?? letter.reason }))
    return true
  }

  get(id: string): DeadLetter | undefined {
    return this.#letters.get(id)
  }

  find(subscription: string, position: number): DeadLetter | undefined {
    const id = this.#ids.of(subscription).get(position)
    return id === undefined ? undefined : this.#letters.get(id)
  }

  list(options: {
    readonly state?: DeadLetterState
    readonly subscription?: string
    readonly after?: string
    readonly limit: number
  }): readonly DeadLetter[] {
    const { state, subscription } = options
    const wanted = this.#letters
      .values()
      .filter((letter) => state === undefined || letter.state === state)
      .filter((letter) => subscription === undefined || letter.subscription === subscription)
    return page(wanted, ({ id }) => id, options)
  }

  counts(): Readonly<Record<DeadLetterState, number>> {
    const counts = { parked: 0, redriven: 0, resolved: 0, discarded: 0 }
    for (const { state } of this.#letters.values()) counts[state] += 1
    return counts
  }
}
