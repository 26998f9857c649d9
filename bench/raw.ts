/**
 * What a careful person writes by hand on node:sqlite: one table of events, a checked append, prepared statements.
 */
import { randomUUID } from 'node:crypto'
import type { StatementSync } from 'node:sqlite'
import { DatabaseSync } from 'node:sqlite'

const table = `
CREATE TABLE events (
  position INTEGER PRIMARY KEY,
  stream TEXT NOT NULL,
  version INTEGER NOT NULL,
  id TEXT NOT NULL,
  type TEXT NOT NULL,
  data TEXT NOT NULL,
  time INTEGER NOT NULL,
  UNIQUE (stream, version)
) STRICT`

/** What a store needs besides, to find messages by id (idempotence) and by type (subscriptions). */
const moreIndexes = `
CREATE UNIQUE INDEX events_id ON events (id);
CREATE INDEX events_type ON events (type)`

export interface RawEvent {
  readonly stream: string
  readonly expected: number
  readonly type: string
  readonly data: unknown
}

export interface RawRow {
  readonly position: number
  readonly stream: string
  readonly version: number
  readonly id: string
  readonly type: string
  readonly data: string
  readonly time: number
}

const columns = 'position, stream, version, id, type, data, time'

export class RawStore {
  readonly database: DatabaseSync
  readonly #begin: StatementSync
  readonly #commit: StatementSync
  readonly #last: StatementSync
  readonly #insert: StatementSync
  readonly #stream: StatementSync
  readonly #page: StatementSync

  constructor(path: string, { indexes = false }: { readonly indexes?: boolean } = {}) {
    const database = new DatabaseSync(path)
    database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL')
    const exists = database.prepare("SELECT 1 FROM sqlite_master WHERE name = 'events'").get()
    if (exists === undefined) database.exec(indexes ? `${table};${moreIndexes}` : table)
    this.database = database
    this.#begin = database.prepare('BEGIN IMMEDIATE')
    this.#commit = database.prepare('COMMIT')
    this.#last = database.prepare('SELECT max(version) AS version FROM events WHERE stream = ?')
    this.#insert = database.prepare(
      'INSERT INTO events (stream, version, id, type, data, time) VALUES (?, ?, ?, ?, ?, ?)',
    )
    this.#stream = database.prepare(
      `SELECT ${columns} FROM events WHERE stream = ? ORDER BY version`,
    )
    this.#page = database.prepare(
      `SELECT ${columns} FROM events WHERE position > ? ORDER BY position LIMIT ?`,
    )
  }

  /** Appends each event to its stream if that is at the expected version; all in one commit. */
  append(events: readonly RawEvent[]): void {
    this.#begin.run()
    for (const { stream, expected, type, data } of events) {
      const last = this.#last.get(stream) as { version: number | null }
      if ((last.version ?? 0) !== expected) throw new Error(`${stream} is at ${last.version}`)
      const text = JSON.stringify(data)
      this.#insert.run(stream, expected + 1, randomUUID(), type, text, Date.now())
    }
    this.#commit.run()
  }

  /** One stream, decoded. */
  stream(name: string): (Omit<RawRow, 'data'> & { readonly data: unknown })[] {
    const rows = this.#stream.all(name) as unknown as RawRow[]
    return rows.map((row) => ({ ...row, data: JSON.parse(row.data) as unknown }))
  }

  /** A page of the log, not decoded. */
  page(after: number, limit: number): RawRow[] {
    return this.#page.all(after, limit) as unknown as RawRow[]
  }

  close(): void {
    this.database.close()
  }
}
