/**
 * Retries in SQLite; see ports/retries.ts.
 */
import type { Attempt, Retries, Retry, RetryState, RetrySummary } from '../../ports/retries.ts'
import type { Scope } from './scope.ts'

const columns = 'subscription, key, position, message_id, state, attempts, due, history'
const insert =
  `INSERT INTO thence_retries (${columns}) VALUES (?, ?, ?, ?, ?, ?, ?, ?) ` +
  'ON CONFLICT (subscription, position) DO UPDATE SET key = excluded.key, message_id = excluded.message_id, ' +
  'state = excluded.state, attempts = excluded.attempts, due = excluded.due, history = excluded.history'
const earlier =
  'SELECT 1 FROM thence_retries WHERE subscription = ? AND key = ? AND position < ? LIMIT 1'
const selectDue =
  `SELECT ${columns} FROM thence_retries WHERE subscription = ? AND state = 'due' AND due <= ? ` +
  'ORDER BY due, position LIMIT ?'
const remove =
  'DELETE FROM thence_retries WHERE subscription = ? AND position = ? AND attempts = ? RETURNING key'
// The first of the key is the next one: what stands before it is gone.
const release =
  "UPDATE thence_retries SET state = 'due', due = ? WHERE subscription = ? AND state = 'queued' AND position = (" +
  'SELECT min(position) FROM thence_retries WHERE subscription = ? AND key = ?)'
const selectOne = `SELECT ${columns} FROM thence_retries WHERE subscription = ? AND position = ?`
const selectBlocked =
  'SELECT value FROM json_each(?) WHERE EXISTS (' +
  'SELECT 1 FROM thence_retries WHERE subscription = ? AND key = value)'
const selectSummary =
  "SELECT subscription, sum(state = 'due'), sum(state = 'parked'), sum(state = 'queued'), " +
  "coalesce(min(CASE state WHEN 'due' THEN due END), 0) " +
  'FROM thence_retries GROUP BY subscription ORDER BY subscription'
const removeAll = 'DELETE FROM thence_retries WHERE subscription = ?'

type Row = readonly [string, string, number, string, RetryState, number, number, string]

const decode = (row: Row): Retry => ({
  subscription: row[0],
  key: row[1],
  position: row[2],
  messageId: row[3],
  state: row[4],
  attempts: row[5],
  due: row[6],
  history: JSON.parse(row[7]) as Attempt[],
})

export class SqliteRetries implements Retries {
  readonly #scope: Scope

  constructor(scope: Scope) {
    this.#scope = scope
  }

  put(row: Retry): void {
    const connection = this.#scope.change()
    const { subscription, key, position } = row
    const alone =
      row.state === 'queued' && connection.get(earlier, subscription, key, position) === undefined
    connection.run(
      insert,
      subscription,
      key,
      position,
      row.messageId,
      alone ? 'due' : row.state,
      row.attempts,
      alone ? this.#scope.runtime.now() : row.due,
      JSON.stringify(row.history),
    )
  }

  take(subscription: string, now: number, limit: number): readonly Retry[] {
    return this.#scope.use().all<Row>(selectDue, subscription, now, limit).map(decode)
  }

  settle(row: Pick<Retry, 'subscription' | 'position' | 'attempts'>, now: number): boolean {
    const connection = this.#scope.change()
    const removed = connection.get<[string]>(remove, row.subscription, row.position, row.attempts)
    if (removed === undefined) return false
    connection.run(release, now, row.subscription, row.subscription, removed[0])
    return true
  }

  find(subscription: string, position: number): Retry | undefined {
    const row = this.#scope.use().get<Row>(selectOne, subscription, position)
    return row && decode(row)
  }

  blocked(subscription: string, keys: readonly string[]): readonly string[] {
    if (keys.length === 0) return []
    const rows = this.#scope.use().all<[string]>(selectBlocked, JSON.stringify(keys), subscription)
    return rows.map((row) => row[0])
  }

  summary(): readonly RetrySummary[] {
    const rows = this.#scope.use().all<[string, number, number, number, number]>(selectSummary)
    return rows.map((row) => ({
      subscription: row[0],
      due: row[1],
      parked: row[2],
      queued: row[3],
      next: row[4],
    }))
  }

  clear(subscription: string): number {
    return this.#scope.change().run(removeAll, subscription)
  }
}
