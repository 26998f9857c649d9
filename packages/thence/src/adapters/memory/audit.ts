/** Who did what, by id. */
import type { Audit, AuditEntry, AuditFilter } from '../../ports/audit.ts'
import { byBytes } from './order.ts'
import { frozenCopy, type Journal, Table } from './table.ts'

export class MemoryAudit implements Audit {
  readonly #entries: Table<string, AuditEntry>

  constructor(journal: Journal) {
    this.#entries = new Table(journal)
  }

  get size(): number {
    return this.#entries.size
  }

  add(entry: AuditEntry): void {
    if (this.#entries.get(entry.id) === undefined) this.#entries.set(entry.id, frozenCopy(entry))
  }

  list({ target, action, after, before, backwards, limit }: AuditFilter): readonly AuditEntry[] {
    const direction = backwards === true ? -1 : 1
    return this.#entries
      .values()
      .filter((entry) => target === undefined || entry.target === target)
      .filter((entry) => action === undefined || entry.action === action)
      .filter(({ id }) => after === undefined || byBytes(id, after) > 0)
      .filter(({ id }) => before === undefined || byBytes(id, before) < 0)
      .sort((left, right) => direction * byBytes(left.id, right.id))
      .slice(0, limit)
  }

  trim(before: number, limit: number): number {
    const old = this.#entries
      .values()
      .filter(({ time }) => time < before)
      .sort((left, right) => left.time - right.time || byBytes(left.id, right.id))
      .slice(0, limit)
    for (const { id } of old) this.#entries.delete(id)
    return old.length
  }
}
