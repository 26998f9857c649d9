/** The newest folded state of each stream, per program that wrote it. */
import type { Snapshot, Snapshots } from '../../ports/snapshots.ts'
import { type Journal, Tables } from './table.ts'

export class MemorySnapshots implements Snapshots {
  readonly #tags: Tables<string, Snapshot>

  constructor(journal: Journal) {
    this.#tags = new Tables(journal)
  }

  get size(): number {
    return this.#tags.size
  }

  load(stream: string, tag: string): Snapshot | undefined {
    return this.#tags.of(tag).get(stream)
  }

  save(snapshot: Snapshot): void {
    const rows = this.#tags.of(snapshot.tag)
    const known = rows.get(snapshot.stream)
    if (known && known.version > snapshot.version) return
    rows.set(snapshot.stream, Object.freeze({ ...snapshot }))
  }

  clear(stream: string): number {
    return this.#tags.all().filter((rows) => rows.delete(stream)).length
  }
}
