/**
 * Dead letters in SQLite; see ports/dead-letters.ts. The message is kept as a copy of its own: retention may take the
 * original out of the log.
 */
import type { DeadLetter, DeadLetters, DeadLetterState } from '../../ports/dead-letters.ts'
import type { StoredMessage } from '../../ports/events.ts'
import type { Attempt } from '../../ports/retries.ts'
import type { Scope } from './scope.ts'

const columns =
  'id, subscription, key, state, message, error_name, error_code, error_message, stack, attempts, time, reason'
const insert =
  `INSERT INTO thence_dead_letters (${columns}, position) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ` +
  "ON CONFLICT (subscription, position) DO UPDATE SET state = 'parked', error_name = excluded.error_name, " +
  'error_code = excluded.error_code, error_message = excluded.error_message, stack = excluded.stack, ' +
  'attempts = excluded.attempts, time = excluded.time, key = excluded.key, reason = excluded.reason'
const change =
  'UPDATE thence_dead_letters SET state = ?, reason = coalesce(?, reason) WHERE id = ? AND state = ?'
const select = `SELECT ${columns} FROM thence_dead_letters`
const selectOne = `${select} WHERE id = ?`
const selectPosition = `${select} WHERE subscription = ? AND position = ?`
const page = 'id > ? ORDER BY id LIMIT ?'
const selectAll = `${select} WHERE ${page}`
const selectState = `${select} WHERE state = ? AND ${page}`
const selectSubscription = `${select} WHERE subscription = ? AND ${page}`
const selectBoth = `${select} WHERE state = ? AND subscription = ? AND ${page}`
const selectCounts = 'SELECT state, count(*) FROM thence_dead_letters GROUP BY state'

type Row = readonly [
  id: string,
  subscription: string,
  key: string,
  state: DeadLetterState,
  message: string,
  errorName: string,
  errorCode: string | null,
  errorMessage: string,
  stack: string,
  attempts: string,
  time: number,
  reason: string | null,
]

const decode = (row: Row): DeadLetter => ({
  id: row[0],
  subscription: row[1],
  key: row[2],
  state: row[3],
  message: JSON.parse(row[4]) as StoredMessage,
  errorName: row[5],
  errorCode: row[6],
  errorMessage: row[7],
  stack: row[8],
  attempts: JSON.parse(row[9]) as Attempt[],
  time: row[10],
  reason: row[11],
})

export class SqliteDeadLetters implements DeadLetters {
  readonly #scope: Scope

  constructor(scope: Scope) {
    this.#scope = scope
  }

  add(letter: DeadLetter): void {
    this.#scope
      .change()
      .run(
        insert,
        letter.id,
        letter.subscription,
        letter.key,
        letter.state,
        JSON.stringify(letter.message),
        letter.errorName,
        letter.errorCode,
        letter.errorMessage,
        letter.stack,
        JSON.stringify(letter.attempts),
        letter.time,
        letter.reason,
        letter.message.position,
      )
  }

  mark(
    id: string,
    to: {
      readonly from: DeadLetterState
      readonly to: DeadLetterState
      readonly reason?: string
    },
  ): boolean {
    return this.#scope.change().run(change, to.to, to.reason ?? null, id, to.from) === 1
  }

  get(id: string): DeadLetter | undefined {
    const row = this.#scope.use().get<Row>(selectOne, id)
    return row && decode(row)
  }

  find(subscription: string, position: number): DeadLetter | undefined {
    const row = this.#scope.use().get<Row>(selectPosition, subscription, position)
    return row && decode(row)
  }

  list(options: {
    readonly state?: DeadLetterState
    readonly subscription?: string
    readonly after?: string
    readonly limit: number
  }): readonly DeadLetter[] {
    const { state, subscription, after = '', limit } = options
    const connection = this.#scope.use()
    if (state === undefined)
      return subscription === undefined
        ? connection.all<Row>(selectAll, after, limit).map(decode)
        : connection.all<Row>(selectSubscription, subscription, after, limit).map(decode)
    return subscription === undefined
      ? connection.all<Row>(selectState, state, after, limit).map(decode)
      : connection.all<Row>(selectBoth, state, subscription, after, limit).map(decode)
  }

  counts(): Readonly<Record<DeadLetterState, number>> {
    const counts = { parked: 0, redriven: 0, resolved: 0, discarded: 0 }
    for (const [state, count] of this.#scope.use().all<[DeadLetterState, number]>(selectCounts))
      counts[state] = count
    return counts
  }
}
