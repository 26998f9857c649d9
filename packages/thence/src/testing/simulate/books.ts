/**
 * What committed transactions have said of messages, timers, checkpoints, leases and settings, kept outside of the store: what the store holds
 * in the end is compared with it.
 */
import type { Seen } from '../../ports/checkpoints.ts'
import type { Lease } from '../../ports/leases.ts'
import { Chronicle } from './chronicle.ts'
import { PauseBooks } from './pause-books.ts'
import type { Note } from './sites.ts'
import { TimerBooks } from './timer-books.ts'

export class Books {
  readonly timers: TimerBooks
  readonly chronicle: Chronicle = new Chronicle()
  readonly pauses: PauseBooks
  readonly #checkpoints = new Map<string, Seen>()
  /** Who holds which lease. */
  readonly #holders = new Map<string, string>()
  readonly #wrong: string[] = []
  readonly #mark: (name: string) => void

  /** @param mark is told what happened, by name. */
  constructor(mark: (name: string) => void) {
    this.#mark = mark
    this.timers = new TimerBooks(mark)
    this.pauses = new PauseBooks(mark)
  }

  /** What was seen to be wrong while it happened. */
  get wrong(): readonly string[] {
    return [...this.#wrong, ...this.timers.wrong, ...this.chronicle.wrong, ...this.pauses.wrong]
  }

  /** A transaction is committed, `age` milliseconds after the beginning. */
  commit(notes: readonly Note[], age: number): void {
    this.timers.commit(notes)
    this.chronicle.commit(notes)
    this.pauses.commit(notes, age)
    for (const [{ name }, parameters, result] of notes) {
      const [first, second, third] = parameters
      if (name === 'checkpoints.move' && result === true)
        this.#moved(first as string, second as Seen, third as number)
      else if (name === 'leases.take') this.#taken(result as Lease | undefined)
      else if (name === 'leases.release' && result === true) this.#holders.delete(first as string)
      else if (name === 'leases.leave') this.#left(first as string)
    }
  }

  #taken(lease: Lease | undefined): void {
    if (lease === undefined || lease.owner === null) return
    const before = this.#holders.get(lease.name)
    this.#holders.set(lease.name, lease.owner)
    if (before === lease.owner) return
    // Whoever goes in good order gives it back before.
    this.#mark(before === undefined ? 'a lease was taken' : 'a lease was taken over')
  }

  #left(member: string): void {
    for (const [lease, owner] of this.#holders) if (owner === member) this.#holders.delete(lease)
  }

  /** A checkpoint never goes back, but for a rebuild or a new division. */
  #moved(subscription: string, seen: Seen, position: number): void {
    const name = `${subscription}#${seen.partition ?? 0}`
    const before = this.#checkpoints.get(name)
    const isSame = before !== undefined && before.generation === seen.generation
    if (isSame && before.position > position)
      this.#wrong.push(
        `the checkpoint of ${name} went back from ${before.position} to ${position} in generation ${seen.generation}`,
      )
    this.#checkpoints.set(name, { ...seen, position })
  }
}
