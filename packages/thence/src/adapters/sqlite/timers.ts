/**
 * Timers in SQLite; see ports/timers.ts.
 */
import type { NewMessage } from '../../ports/events.ts'
import type { Timer, Timers } from '../../ports/timers.ts'
import type { Scope } from './scope.ts'

const columns = 'id, owner, due, stream, message'
const upsert =
  `INSERT INTO thence_timers (${columns}) VALUES (?, ?, ?, ?, ?) ON CONFLICT (id) DO UPDATE SET ` +
  'owner = excluded.owner, due = excluded.due, stream = excluded.stream, message = excluded.message'
const removeOne = 'DELETE FROM thence_timers WHERE id = ?'
const removeOwner = 'DELETE FROM thence_timers WHERE owner = ?'
const selectDue = `SELECT ${columns} FROM thence_timers WHERE due <= ? ORDER BY due, id LIMIT ?`
const selectNext = 'SELECT min(due) FROM thence_timers'
const selectPage = `SELECT ${columns} FROM thence_timers WHERE id > ? ORDER BY id LIMIT ?`

type Row = readonly [string, string, number, string, string]

const decode = (row: Row): Timer => ({
  id: row[0],
  owner: row[1],
  due: row[2],
  stream: row[3],
  message: JSON.parse(row[4]) as NewMessage,
})

export class SqliteTimers implements Timers {
  readonly #scope: Scope

  constructor(scope: Scope) {
    this.#scope = scope
  }

  set(timer: Timer): void {
    const { id, owner, due, stream, message } = timer
    this.#scope.change().run(upsert, id, owner, due, stream, JSON.stringify(message))
  }

  cancel(id: string): boolean {
    return this.#scope.change().run(removeOne, id) === 1
  }

  cancelAll(owner: string): number {
    return this.#scope.change().run(removeOwner, owner)
  }

  due(now: number, limit: number): readonly Timer[] {
    return this.#scope.use().all<Row>(selectDue, now, limit).map(decode)
  }

  next(): number | undefined {
    return this.#scope.use().get<[number | null]>(selectNext)?.[0] ?? undefined
  }

  list(options: { readonly after?: string; readonly limit: number }): readonly Timer[] {
    return this.#scope
      .use()
      .all<Row>(selectPage, options.after ?? '', options.limit)
      .map(decode)
  }
}
