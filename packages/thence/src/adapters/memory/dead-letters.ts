/** Messages that exhausted their retries; one letter per subscription and position. */
import type {
  DeadLetter,
  DeadLetters,
  DeadLetterState,
  LetterChange,
  LetterFilter,
  LetterGroup,
} from '../../ports/dead-letters.ts'
import { byBytes, page } from './order.ts'
import type { MemoryRetries } from './retries.ts'
import { frozenCopy, type Journal, Table, Tables } from './table.ts'

const compared = ['state', 'subscription', 'fingerprint', 'key', 'kind', 'job'] as const

const matches = (letter: DeadLetter, filter: LetterFilter): boolean => {
  const { since = -Infinity, until = Infinity, ids, type } = filter
  return (
    compared.every((name) => filter[name] === undefined || filter[name] === letter[name]) &&
    (type === undefined || letter.message.type === type) &&
    letter.time >= since &&
    letter.time <= until &&
    (ids === undefined || ids.includes(letter.id))
  )
}

const groupOf = (letters: readonly DeadLetter[]): LetterGroup => {
  const [{ subscription, fingerprint } = { subscription: '', fingerprint: '' }] = letters
  const times = letters.map(({ time }) => time).sort((left, right) => left - right)
  const ids = letters.map(({ id }) => id).sort(byBytes)
  return {
    subscription,
    fingerprint,
    count: letters.length,
    first: times.at(0) ?? 0,
    last: times.at(-1) ?? 0,
    sample: ids.at(-1) ?? '',
  }
}

const byWeight = (left: LetterGroup, right: LetterGroup): number =>
  right.count - left.count ||
  right.last - left.last ||
  byBytes(left.subscription, right.subscription) ||
  byBytes(left.fingerprint, right.fingerprint)

export class MemoryDeadLetters implements DeadLetters {
  readonly #letters: Table<string, DeadLetter>
  readonly #ids: Tables<number, string>
  readonly #now: () => number
  readonly #retries: MemoryRetries

  constructor(journal: Journal, now: () => number, retries: MemoryRetries) {
    this.#retries = retries
    this.#letters = new Table(journal)
    this.#ids = new Tables(journal)
    this.#now = now
  }

  get size(): number {
    return this.#letters.size
  }

  add(letter: DeadLetter): void {
    const { subscription, message } = letter
    const old = this.find(subscription, message.position)
    const kept = old && { id: old.id, message: old.message, edited: old.edited, job: old.job }
    const merged: DeadLetter = kept ? { ...letter, ...kept, state: 'parked' } : letter
    this.#ids.of(subscription).set(message.position, merged.id)
    this.#letters.set(merged.id, frozenCopy(merged))
  }

  mark(id: string, { from, to, reason, job, edited }: LetterChange): boolean {
    const letter = this.#letters.get(id)
    if (letter?.state !== from) return false
    const changed: DeadLetter = {
      ...letter,
      state: to,
      changed: this.#now(),
      reason: reason ?? letter.reason,
      job: job === undefined ? letter.job : job,
      edited: edited ?? letter.edited,
    }
    this.#letters.set(id, frozenCopy(changed))
    return true
  }

  get(id: string): DeadLetter | undefined {
    return this.#letters.get(id)
  }

  find(subscription: string, position: number): DeadLetter | undefined {
    const id = this.#ids.of(subscription).get(position)
    return id === undefined ? undefined : this.#letters.get(id)
  }

  openAt(positions: readonly number[]): readonly number[] {
    const open = this.#letters.values().filter(({ state }) => state !== 'resolved')
    const taken = new Set(open.map(({ message }) => message.position))
    return [...new Set(positions)].filter((at) => taken.has(at)).sort((left, right) => left - right)
  }

  list(
    options: LetterFilter & { readonly after?: string; readonly limit: number },
  ): readonly DeadLetter[] {
    return page(this.#matching(options), ({ id }) => id, options)
  }

  counts(filter: LetterFilter = {}): Readonly<Record<DeadLetterState, number>> {
    const counts = { parked: 0, redriven: 0, resolved: 0, discarded: 0 }
    for (const { state } of this.#matching(filter)) counts[state] += 1
    return counts
  }

  parkedOf(subscription: string, most: number): number {
    return Math.min(this.#matching({ subscription, state: 'parked' }).length, most)
  }

  underWay(job: string): boolean {
    return this.#matching({ job, state: 'redriven' }).some(
      ({ subscription, message: { position } }) =>
        this.#retries.find(subscription, position)?.state === 'due',
    )
  }

  groups(options: LetterFilter & { readonly limit: number }): readonly LetterGroup[] {
    const groups = Map.groupBy(this.#matching(options), ({ subscription, fingerprint }) =>
      JSON.stringify([subscription, fingerprint]),
    )
    return [...groups.values()].map(groupOf).sort(byWeight).slice(0, options.limit)
  }

  trim(before: number, limit: number): number {
    const old = this.#letters
      .values()
      .filter(({ state }) => state === 'resolved' || state === 'discarded')
      .filter(({ changed }) => changed < before)
      .sort((left, right) => left.changed - right.changed || byBytes(left.id, right.id))
      .slice(0, limit)
    for (const { id, subscription, message } of old) {
      this.#letters.delete(id)
      this.#ids.of(subscription).delete(message.position)
    }
    return old.length
  }

  #matching(filter: LetterFilter): DeadLetter[] {
    return this.#letters.values().filter((letter) => matches(letter, filter))
  }
}
