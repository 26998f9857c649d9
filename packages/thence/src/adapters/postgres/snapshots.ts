/**
 * Snapshots in PostgreSQL; see ports/snapshots.ts.
 */
import type { Snapshot, Snapshots } from '../../ports/snapshots.ts'
import type { Scope } from './scope.ts'

const selectOne = 'SELECT version, state FROM thence.snapshots WHERE stream = $1 AND tag = $2'
const upsert =
  'INSERT INTO thence.snapshots AS own (stream, tag, version, state) VALUES ($1, $2, $3, $4) ' +
  'ON CONFLICT (stream, tag) DO UPDATE SET version = excluded.version, state = excluded.state ' +
  'WHERE excluded.version >= own.version'
const remove = 'DELETE FROM thence.snapshots WHERE stream = $1'

export class PostgresSnapshots implements Snapshots {
  readonly #scope: Scope

  constructor(scope: Scope) {
    this.#scope = scope
  }

  async load(stream: string, tag: string): Promise<Snapshot | undefined> {
    const row = await this.#scope.use().get<[number, string]>(selectOne, stream, tag)
    return row && { stream, version: row[0], tag, state: row[1] }
  }

  async save({ stream, tag, version, state }: Snapshot): Promise<void> {
    await this.#scope.change().run(upsert, stream, tag, version, state)
  }

  async clear(stream: string): Promise<number> {
    return this.#scope.change().run(remove, stream)
  }
}
