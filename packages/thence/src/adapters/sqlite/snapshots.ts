/**
 * Snapshots in SQLite; see ports/snapshots.ts.
 */
import type { Snapshot, Snapshots } from '../../ports/snapshots.ts'
import type { Scope } from './scope.ts'

const selectOne = 'SELECT version, state FROM thence_snapshots WHERE stream = ? AND tag = ?'
const upsert =
  'INSERT INTO thence_snapshots (stream, tag, version, state) VALUES (?, ?, ?, ?) ' +
  'ON CONFLICT (stream, tag) DO UPDATE SET version = excluded.version, state = excluded.state ' +
  'WHERE excluded.version >= version'

const remove = 'DELETE FROM thence_snapshots WHERE stream = ?'

export class SqliteSnapshots implements Snapshots {
  readonly #scope: Scope

  constructor(scope: Scope) {
    this.#scope = scope
  }

  load(stream: string, tag: string): Snapshot | undefined {
    const row = this.#scope.use().get<[number, string]>(selectOne, stream, tag)
    return row && { stream, version: row[0], tag, state: row[1] }
  }

  save(snapshot: Snapshot): void {
    const { stream, tag, version, state } = snapshot
    this.#scope.change().run(upsert, stream, tag, version, state)
  }

  clear(stream: string): number {
    return this.#scope.change().run(remove, stream)
  }
}
