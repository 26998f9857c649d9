/** Long work and how far it has come, by id. */
import type { Job, JobFilter, Jobs } from '../../ports/jobs.ts'
import { byBytes } from './order.ts'
import { frozenCopy, type Journal, Table } from './table.ts'

const hasEnded = ({ state }: Job): boolean => state !== 'running' && state !== 'paused'

export class MemoryJobs implements Jobs {
  readonly #rows: Table<string, Job>

  constructor(journal: Journal) {
    this.#rows = new Table(journal)
  }

  get size(): number {
    return this.#rows.size
  }

  save(job: Job, expected: number): boolean {
    if ((this.#rows.get(job.id)?.version ?? 0) !== expected) return false
    this.#rows.set(job.id, frozenCopy({ ...job, version: expected + 1 }))
    return true
  }

  get(id: string): Job | undefined {
    return this.#rows.get(id)
  }

  list({ kind, state, before, limit }: JobFilter): readonly Job[] {
    return this.#rows
      .values()
      .filter((job) => kind === undefined || job.kind === kind)
      .filter((job) => state === undefined || job.state === state)
      .filter(({ id }) => before === undefined || byBytes(id, before) < 0)
      .sort((left, right) => byBytes(right.id, left.id))
      .slice(0, limit)
  }

  trim(before: number, limit: number): number {
    const old = this.#rows
      .values()
      .filter((job) => hasEnded(job) && job.updated < before)
      .sort((left, right) => left.updated - right.updated || byBytes(left.id, right.id))
      .slice(0, limit)
    for (const { id } of old) this.#rows.delete(id)
    return old.length
  }
}
