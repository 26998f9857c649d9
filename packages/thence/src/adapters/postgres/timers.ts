/**
 * Timers in PostgreSQL; see ports/timers.ts.
 */
import type { NewMessage } from '../../ports/events.ts'
import type { NewTimer, Timer, TimerPlace, Timers, UpcomingOptions } from '../../ports/timers.ts'
import { nowOr } from './clock.ts'
import type { Scope } from './scope.ts'

const columns = 'id, owner, due, stream, message, next, attempts, error'
const upsert =
  `INSERT INTO thence.timers (${columns}) SELECT $1, $2, due, $3, $4, greatest(1, due), 0, NULL ` +
  `FROM (SELECT coalesce($5::bigint, ${nowOr('$7')} + $6::bigint) AS due) AS at ` +
  'ON CONFLICT (id) DO UPDATE SET owner = excluded.owner, due = excluded.due, stream = excluded.stream, ' +
  'message = excluded.message, next = excluded.next, attempts = 0, error = NULL RETURNING due'
const selectNow = `SELECT ${nowOr('$1')}`
const selectOne = `SELECT ${columns} FROM thence.timers WHERE id = $1`
const removeOne = 'DELETE FROM thence.timers WHERE id = $1'
const removeOwner = 'DELETE FROM thence.timers WHERE owner = $1'
const selectDue =
  `SELECT ${columns} FROM thence.timers WHERE (next, id) > ($1, $2) AND next <= ${nowOr('$3')} ` +
  'ORDER BY next, id LIMIT $4'
const selectWait =
  'SELECT (SELECT min(next) FROM thence.timers WHERE next > now) - now ' +
  `FROM (SELECT greatest(0, ${nowOr('$1')}) AS now) AS clock`
const markFailed =
  `UPDATE thence.timers SET next = greatest(1, ${nowOr('$4')} + $3::bigint), ` +
  'attempts = attempts + 1, error = $2 WHERE id = $1'
const markGivenUp =
  'UPDATE thence.timers SET next = 0, attempts = attempts + 1, error = $2 WHERE id = $1'
const markHurried = `UPDATE thence.timers SET next = greatest(1, ${nowOr('$2')}), attempts = 0, error = NULL WHERE id = $1`
const countFailed = 'SELECT count(*) FROM thence.timers WHERE next = 0'
const selectUpcoming = `SELECT ${columns} FROM thence.timers WHERE (next, id) > ($1, $2) ORDER BY next, id LIMIT $3`
const selectUpcomingOf =
  `SELECT ${columns} FROM thence.timers WHERE owner = $4 AND (next, id) > ($1, $2) ` +
  'ORDER BY next, id LIMIT $3'
const selectPage = `SELECT ${columns} FROM thence.timers WHERE id > $1 ORDER BY id LIMIT $2`

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

export class PostgresTimers implements Timers {
  readonly #scope: Scope

  constructor(scope: Scope) {
    this.#scope = scope
  }

  async now(): Promise<number> {
    return (await this.#scope.use().get<[number]>(selectNow, this.#scope.time))![0]
  }

  async set({ id, owner, due, stream, message }: NewTimer): Promise<number> {
    const connection = this.#scope.change()
    const [at, later] = typeof due === 'number' ? [due, null] : [null, due.in]
    const text = JSON.stringify(message)
    const values = [id, owner, stream, text, at, later, this.#scope.time]
    return (await connection.get<[number]>(upsert, ...values))![0]
  }

  async find(id: string): Promise<Timer | undefined> {
    const row = await this.#scope.use().get<Row>(selectOne, id)
    return row && decode(row)
  }

  async cancel(id: string): Promise<boolean> {
    return (await this.#scope.change().run(removeOne, id)) === 1
  }

  async cancelAll(owner: string): Promise<number> {
    return this.#scope.change().run(removeOwner, owner)
  }

  async due(options: {
    readonly after?: TimerPlace
    readonly limit: number
  }): Promise<readonly Timer[]> {
    const { after = pending, limit } = options
    const from = after.next > 0 ? after : pending
    const values = [from.next, from.id, this.#scope.time, limit]
    return (await this.#scope.use().all<Row>(selectDue, ...values)).map(decode)
  }

  async wait(): Promise<number | undefined> {
    const row = await this.#scope.use().get<[number | null]>(selectWait, this.#scope.time)
    return row?.[0] ?? undefined
  }

  async fail(
    id: string,
    { error, retryIn }: { readonly error: string; readonly retryIn: number | null },
  ): Promise<boolean> {
    const connection = this.#scope.change()
    const changed =
      retryIn === null
        ? await connection.run(markGivenUp, id, error)
        : await connection.run(markFailed, id, error, retryIn, this.#scope.time)
    return changed === 1
  }

  async hurry(id: string): Promise<boolean> {
    return (await this.#scope.change().run(markHurried, id, this.#scope.time)) === 1
  }

  async failed(): Promise<number> {
    return (await this.#scope.use().get<[number]>(countFailed))?.[0] ?? 0
  }

  async upcoming({ owner, after = start, limit }: UpcomingOptions): Promise<readonly Timer[]> {
    const connection = this.#scope.use()
    const { next, id } = after
    const rows =
      owner === undefined
        ? await connection.all<Row>(selectUpcoming, next, id, limit)
        : await connection.all<Row>(selectUpcomingOf, next, id, limit, owner)
    return rows.map(decode)
  }

  async list(options: {
    readonly after?: string
    readonly limit: number
  }): Promise<readonly Timer[]> {
    const { after = '', limit } = options
    return (await this.#scope.use().all<Row>(selectPage, after, limit)).map(decode)
  }
}
