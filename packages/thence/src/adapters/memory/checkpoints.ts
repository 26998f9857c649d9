/** How far each partition of each subscription has come; every move is a compare-and-set. */
import type { Checkpoint, Checkpoints, Hold, Seen } from '../../ports/checkpoints.ts'
import { byBytes } from './order.ts'
import { type Journal, type Table, Tables } from './table.ts'

const absent = {
  position: 0,
  generation: 0,
  epoch: 0,
  rebuildTo: 0,
  rebuildAsked: false,
  time: 0,
} as const

export class MemoryCheckpoints implements Checkpoints {
  readonly #subscriptions: Tables<number, Checkpoint>
  readonly #now: () => number

  constructor(journal: Journal, now: () => number) {
    this.#subscriptions = new Tables(journal)
    this.#now = now
  }

  load(subscription: string, partition = 0): Checkpoint | undefined {
    return this.#rows(subscription).get(partition)
  }

  move(subscription: string, seen: Seen, position: number): boolean {
    const row = this.#rowOrNew(subscription, seen.partition)
    if (row.position !== seen.position || row.generation !== seen.generation) return false
    if (row.epoch !== (seen.epoch ?? 0)) return false
    // The rebuild has run once its position is reached.
    const rebuildTo = position < row.rebuildTo ? row.rebuildTo : 0
    this.#save({ ...row, position, rebuildTo, time: this.#now() })
    return true
  }

  claim(subscription: string, { partition, epoch }: Hold): Checkpoint {
    return this.#save({ ...this.#rowOrNew(subscription, partition), epoch })
  }

  holds(subscription: string, { partition, epoch }: Hold): boolean {
    return this.#rowOrNew(subscription, partition).epoch === epoch
  }

  restart(subscription: string, rebuildTo: number): Checkpoint {
    const { epoch, generation } = this.#rowOrNew(subscription)
    const time = this.#now()
    return this.#save({
      ...absent,
      subscription,
      partition: 0,
      generation: generation + 1,
      epoch,
      rebuildTo,
      time,
    })
  }

  divide(subscription: string, positions: readonly number[]): void {
    const rows = this.#rows(subscription)
    const last = Math.max(0, ...rows.values().map(({ generation }) => generation))
    rows.deleteWhere(() => true)
    const [generation, time] = [last + 1, this.#now()]
    for (const [partition, position] of positions.entries())
      this.#save({ ...absent, subscription, partition, position, generation, time })
  }

  ask(subscription: string): boolean {
    const row = this.load(subscription)
    if (row === undefined) return false
    this.#save({ ...row, rebuildAsked: true })
    return true
  }

  list(subscription?: string): readonly Checkpoint[] {
    const tables =
      subscription === undefined ? this.#subscriptions.all() : [this.#rows(subscription)]
    return tables
      .flatMap((rows) => rows.values())
      .sort((a, b) => byBytes(a.subscription, b.subscription) || a.partition - b.partition)
  }

  #rows(subscription: string): Table<number, Checkpoint> {
    return this.#subscriptions.of(subscription)
  }

  #save(row: Checkpoint): Checkpoint {
    this.#rows(row.subscription).set(row.partition, Object.freeze(row))
    return row
  }

  #rowOrNew(subscription: string, partition = 0): Checkpoint {
    return this.load(subscription, partition) ?? { ...absent, subscription, partition }
  }
}
