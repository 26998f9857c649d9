/**
 * How far the partitions of a subscription are: those that run in this process by what they know themselves, the others by
 * what was stored when this process looked last.
 */
import type { Checkpoint, Hold } from '../ports/checkpoints.ts'

export type Place = Pick<Checkpoint, 'position' | 'generation' | 'rebuildTo'>

export class Places<P extends Place & { readonly hold: Hold }> {
  readonly #running = new Map<number, P>()
  #stored: ReadonlyMap<number, Place> = new Map()

  /** Those that run here. */
  get running(): readonly P[] {
    return [...this.#running.values()]
  }

  /** How many run here. */
  get size(): number {
    return this.#running.size
  }

  begin(one: P): void {
    this.#running.set(one.hold.partition, one)
  }

  /** Does nothing if another one runs in its place by now. */
  end(one: P): void {
    const { partition } = one.hold
    if (this.#running.get(partition) === one) this.#running.delete(partition)
  }

  /** What is stored of all of them. */
  see(stored: readonly Checkpoint[]): void {
    this.#stored = new Map(stored.map((row) => [row.partition, row]))
  }

  /** The least of so many partitions; 0 as long as one of them has neither begun here nor been seen. */
  least(what: keyof Place, partitions: number): number {
    let least = Infinity
    for (let partition = 0; partition < partitions; partition += 1) {
      const place = this.#running.get(partition) ?? this.#stored.get(partition)
      least = Math.min(least, place?.[what] ?? 0)
    }
    return least
  }
}
