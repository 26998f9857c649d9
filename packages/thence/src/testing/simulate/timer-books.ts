/**
 * What committed transactions have done to timers, kept outside of the store: whether each fires once, in time, and not
 * when it was cancelled.
 */
import type { AppendRequest, Verdict } from '../../ports/events.ts'
import type { NewTimer } from '../../ports/timers.ts'
import type { Note } from './sites.ts'

/** A timer that was set, and what became of it. */
export interface TimerBook {
  readonly timer: Omit<NewTimer, 'due'> & { readonly due: number }
  fate: 'waits' | 'fired' | 'cancelled'
}

/** What one transaction did to timers. */
interface Work {
  readonly appended: Set<string>
  readonly gone: TimerBook[]
}

export class TimerBooks {
  /** By the id of the message that the timer appends. */
  readonly all: Map<string, TimerBook> = new Map()
  /** When the first timer of each id was due that was ever set. */
  readonly first: Map<string, number> = new Map()
  /** What was seen to be wrong while it happened. */
  readonly wrong: string[] = []
  /** The timer that stands under an id. */
  readonly #standing = new Map<string, TimerBook>()
  readonly #mark: (name: string) => void

  /** @param mark is told what happened, by name. */
  constructor(mark: (name: string) => void) {
    this.#mark = mark
  }

  /** Timers of this owner that stand. */
  standing(owner: string): readonly TimerBook['timer'][] {
    return [...this.#standing.values()]
      .map(({ timer }) => timer)
      .filter((one) => one.owner === owner)
  }

  /** A transaction is committed. */
  commit(notes: readonly Note[]): void {
    const work: Work = { appended: new Set(), gone: [] }
    for (const note of notes) this.#note(note, work)
    for (const book of work.gone)
      if (!work.appended.has(book.timer.message.id)) {
        book.fate = 'cancelled'
        this.#mark('a timer was cancelled')
      }
  }

  #note([{ name }, [first], result]: Note, work: Work): void {
    if (name === 'timers.set') this.#set({ ...(first as NewTimer), due: result as number }, work)
    else if (name === 'timers.cancel' && result === true) this.#gone(first as string, work)
    else if (name === 'timers.cancelAll') this.#allGone(first as string, work)
    else if (name === 'events.append')
      this.#appended(first as AppendRequest, result as Verdict, work)
  }

  #set(timer: TimerBook['timer'], work: Work): void {
    this.#gone(timer.id, work)
    const book: TimerBook = { timer, fate: 'waits' }
    this.all.set(timer.message.id, book)
    this.#standing.set(timer.id, book)
    if (!this.first.has(timer.id)) this.first.set(timer.id, timer.due)
    this.#mark('a timer was set')
  }

  #gone(id: string, { gone }: Work): void {
    const book = this.#standing.get(id)
    if (book === undefined) return
    this.#standing.delete(id)
    gone.push(book)
  }

  #allGone(owner: string, work: Work): void {
    for (const { timer } of this.#standing.values())
      if (timer.owner === owner) this.#gone(timer.id, work)
  }

  #appended({ messages }: AppendRequest, { outcome }: Verdict, { appended }: Work): void {
    if (outcome !== 'appended') return
    for (const { id } of messages) {
      const book = this.all.get(id)
      if (book === undefined) continue
      appended.add(id)
      if (book.fate !== 'waits')
        this.wrong.push(`timer ${book.timer.id} fired though it was ${book.fate} before`)
      book.fate = 'fired'
      this.#mark('a timer fired')
    }
  }
}
