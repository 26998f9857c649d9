/**
 * Timers in SQLite; see ports/timers.ts. SQLite has no clock of its own: it is that of the runtime it was opened with,
 * which all processes of a machine share.
 */
import type { NewMessage } from '../../ports/events.ts'
import type { NewTimer, Timer, TimerPlace, Timers, UpcomingOptions } from '../../ports/timers.ts'
import type { Scope } from './scope.ts'

const columns = 'id, owner, due, stream, message, next, attempts, error'
const upsert =
  `INSERT INTO thence_timers (${columns}) VALUES (?, ?, ?, ?, ?, ?, 0, NULL) ON CONFLICT (id) DO UPDATE SET ` +
  'owner = excluded.owner, due = excluded.due, stream = excluded.stream, message = excluded.message, ' +
  'next = excluded.next, attempts = 0, error = NULL'
const selectOne = `SELECT ${columns} FROM thence_timers WHERE id = ?`
const removeOne = 'DELETE FROM thence_timers WHERE id = ?'
const removeOwner = 'DELETE FROM thence_timers WHERE owner = ?'
const selectDue =
  `SELECT ${columns} FROM thence_timers WHERE (next, id) > (?, ?) AND next <= ? ` +
  'ORDER BY next, id LIMIT ?'
const selectWait = 'SELECT min(next) FROM thence_timers WHERE next > ?'
const markFailed =
  'UPDATE thence_timers SET next = ?, attempts = attempts + 1, error = ? WHERE id = ?'
const markHurried = 'UPDATE thence_timers SET next = ?, attempts = 0, error = NULL WHERE id = ?'
const countFailed = 'SELECT count(*) FROM thence_timers WHERE next = 0'
const selectUpcoming =
  `SELECT ${columns} FROM thence_timers WHERE (next, id) > (?, ?) ` + 'ORDER BY next, id LIMIT ?'
const selectUpcomingOf =
  `SELECT ${columns} FROM thence_timers WHERE owner = ? AND (next, id) > (?, ?) ` +
  'ORDER BY next, id LIMIT ?'
const selectPage = `SELECT ${columns} FROM thence_timers WHERE id > ? ORDER BY id LIMIT ?`

type Row = readonly [string, string, number, string, string, number, number, string | null]

const decode = (row: Row): Timer => ({
  id: row[0],
  owner: row[1],
  due: row[2],
  stream: row[3],
  message: JSON.parse(row[4]) as NewMessage,
  next: row[5],
  attempts: row[6],
  error: row[7],
})

/** Behind everything that was given up. */
const pending: TimerPlace = { next: 1, id: '' }
/** Before everything: no id is empty. */
const start: TimerPlace = { next: 0, id: '' }

export class SqliteTimers implements Timers {
  readonly #scope: Scope

  constructor(scope: Scope) {
    this.#scope = scope
  }

  now(): number {
    this.#scope.use()
    return this.#scope.runtime.now()
  }

  set({ id, owner, due: when, stream, message }: NewTimer): number {
    const due = typeof when === 'number' ? when : this.now() + when.in
    const text = JSON.stringify(message)
    this.#scope.change().run(upsert, id, owner, due, stream, text, Math.max(1, due))
    return due
  }

  find(id: string): Timer | undefined {
    const row = this.#scope.use().get<Row>(selectOne, id)
    return row && decode(row)
  }

  cancel(id: string): boolean {
    return this.#scope.change().run(removeOne, id) === 1
  }

  cancelAll(owner: string): number {
    return this.#scope.change().run(removeOwner, owner)
  }

  due(options: { readonly after?: TimerPlace; readonly limit: number }): readonly Timer[] {
    const { after = pending, limit } = options
    const from = after.next > 0 ? after : pending
    return this.#scope.use().all<Row>(selectDue, from.next, from.id, this.now(), limit).map(decode)
  }

  wait(): number | undefined {
    const now = Math.max(0, this.now())
    const next = this.#scope.use().get<[number | null]>(selectWait, now)?.[0] ?? undefined
    return next && next - now
  }

  fail(
    id: string,
    { error, retryIn }: { readonly error: string; readonly retryIn: number | null },
  ): boolean {
    const next = retryIn === null ? 0 : Math.max(1, this.now() + retryIn)
    return this.#scope.change().run(markFailed, next, error, id) === 1
  }

  hurry(id: string): boolean {
    return this.#scope.change().run(markHurried, Math.max(1, this.now()), id) === 1
  }

  failed(): number {
    return this.#scope.use().get<[number]>(countFailed)?.[0] ?? 0
  }

  upcoming({ owner, after = start, limit }: UpcomingOptions): readonly Timer[] {
    const connection = this.#scope.use()
    const { next, id } = after
    const rows =
      owner === undefined
        ? connection.all<Row>(selectUpcoming, next, id, limit)
        : connection.all<Row>(selectUpcomingOf, owner, next, id, limit)
    return rows.map(decode)
  }

  list(options: { readonly after?: string; readonly limit: number }): readonly Timer[] {
    return this.#scope
      .use()
      .all<Row>(selectPage, options.after ?? '', options.limit)
      .map(decode)
  }
}
