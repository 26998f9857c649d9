/** How far each subscription has come; every move is a compare-and-set. */
import type { Checkpoint, Checkpoints, Seen } from '../../ports/checkpoints.ts'
import { byBytes } from './order.ts'
import { type Journal, Table } from './table.ts'

export class MemoryCheckpoints implements Checkpoints {
  readonly #rows: Table<string, Checkpoint>
  readonly #now: () => number

  constructor(journal: Journal, now: () => number) {
    this.#rows = new Table(journal)
    this.#now = now
  }

  load(subscription: string): Checkpoint | undefined {
    return this.#rows.get(subscription)
  }

  move(subscription: string, seen: Seen, position: number): boolean {
    const row = this.#rowOrNew(subscription)
    if (row.position !== seen.position || row.generation !== seen.generation) return false
    // The rebuild has run once its position is reached.
    const rebuildTo = position < row.rebuildTo ? row.rebuildTo : 0
    this.#save({ ...row, position, rebuildTo, time: this.#now() })
    return true
  }

  restart(subscription: string, rebuildTo: number): Checkpoint {
    const { generation } = this.#rowOrNew(subscription)
    return this.#save({
      subscription,
      position: 0,
      generation: generation + 1,
      rebuildTo,
      rebuildAsked: false,
      time: this.#now(),
    })
  }

  ask(subscription: string): boolean {
    const row = this.#rows.get(subscription)
    if (row === undefined) return false
    this.#save({ ...row, rebuildAsked: true })
    return true
  }

  list(): readonly Checkpoint[] {
    return this.#rows.values().sort((a, b) => byBytes(a.subscription, b.subscription))
  }

  #save(row: Checkpoint): Checkpoint {
    this.#rows.set(row.subscription, Object.freeze(row))
    return row
  }

  #rowOrNew(subscription: string): Checkpoint {
    const absent = { position: 0, generation: 0, rebuildTo: 0, rebuildAsked: false, time: 0 }
    return this.#rows.get(subscription) ?? { subscription, ...absent }
  }
}
