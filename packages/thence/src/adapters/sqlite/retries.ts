/**
 * Retries in SQLite; see ports/retries.ts.
 */
import type {
  Attempt,
  Retries,
  Retry,
  RetryState,
  RetrySummary,
  Share,
  TakeRetries,
  Upcoming,
} from '../../ports/retries.ts'
import type { Connection } from './connection.ts'
import type { Scope } from './scope.ts'

const columns =
  'subscription, key, hash, position, message_id, state, attempts, due, history, replay'
// Each row notes of how many partitions which one takes care of it, so that what is due of one is found by an index.
const selectPartitions =
  'SELECT coalesce(max(partition), 0) + 1 FROM thence_checkpoints WHERE subscription = ?'
const insert =
  `INSERT INTO thence_retries (${columns}, partitions, partition) ` +
  'VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ' +
  'ON CONFLICT (subscription, position) DO UPDATE SET key = excluded.key, hash = excluded.hash, ' +
  'partitions = excluded.partitions, partition = excluded.partition, ' +
  'replay = excluded.replay, message_id = excluded.message_id, ' +
  'state = excluded.state, attempts = excluded.attempts, due = excluded.due, history = excluded.history'
const earlier =
  'SELECT 1 FROM thence_retries WHERE subscription = ? AND key = ? AND position < ? LIMIT 1'
const first =
  'NOT EXISTS (SELECT 1 FROM thence_retries AS earlier INDEXED BY thence_retries_key ' +
  'WHERE earlier.subscription = own.subscription AND earlier.key = own.key ' +
  "AND earlier.position < own.position AND earlier.state = 'due' AND earlier.due <= ?)"
const selectDue =
  `SELECT ${columns} FROM thence_retries AS own WHERE subscription = ? AND state = 'due' AND due <= ? ` +
  `AND hash % ? = ? AND ${first} ORDER BY due, position LIMIT ?`
const ofShare = "subscription = ? AND state = 'due' AND partitions = ? AND partition = ?"
const selectShare =
  `SELECT ${columns} FROM thence_retries AS own INDEXED BY thence_retries_share ` +
  `WHERE ${ofShare} AND due <= ? AND ${first} ORDER BY due, position LIMIT ?`
const other = (compared: string): string =>
  'EXISTS (SELECT 1 FROM thence_retries INDEXED BY thence_retries_share ' +
  `WHERE subscription = ? AND state = 'due' AND partitions ${compared} ?)`
const selectOther = `SELECT ${other('<')} OR ${other('>')}`
const divideAnew =
  'UPDATE thence_retries SET partitions = ?, partition = hash % ? WHERE rowid IN (SELECT rowid FROM thence_retries ' +
  "WHERE subscription = ? AND state = 'due' AND partitions <> ? LIMIT ?)"
const remove =
  'DELETE FROM thence_retries WHERE subscription = ? AND position = ? AND attempts = ? RETURNING key'
// The first of the key is the next one: what stands before it is gone.
const release =
  "UPDATE thence_retries SET state = 'due', due = ?, partitions = ?, partition = hash % ? " +
  "WHERE subscription = ? AND state = 'queued' AND position = (" +
  'SELECT min(position) FROM thence_retries WHERE subscription = ? AND key = ?)'
const selectOne = `SELECT ${columns} FROM thence_retries WHERE subscription = ? AND position = ?`
const selectParkedBefore =
  `SELECT ${columns} FROM thence_retries INDEXED BY thence_retries_parked ` +
  "WHERE subscription = ? AND key = ? AND state = 'parked' AND position < ? ORDER BY position LIMIT 1"
const selectBlocked =
  'SELECT value FROM json_each(?) WHERE EXISTS (' +
  'SELECT 1 FROM thence_retries WHERE subscription = ? AND key = value)'
const selectWaiting =
  'SELECT DISTINCT position FROM thence_retries WHERE position IN (SELECT value FROM json_each(?)) ORDER BY position'
// From an index alone: there may be a million rows behind one that is parked.
const counts =
  "coalesce(sum(state = 'due'), 0), coalesce(sum(state = 'parked'), 0), coalesce(sum(state = 'queued'), 0)"
const nextOf = (subscription: string): string =>
  `coalesce((SELECT min(due) FROM thence_retries WHERE subscription = ${subscription} AND state = 'due'), 0)`
const selectOutlook = `SELECT ?, ${counts}, ${nextOf('?')} FROM thence_retries WHERE subscription = ?`
const selectAny = 'SELECT EXISTS (SELECT 1 FROM thence_retries WHERE subscription = ?)'
const selectNext =
  "SELECT due FROM thence_retries WHERE subscription = ? AND state = 'due' AND hash % ? = ? ORDER BY due LIMIT 1"
const selectNextOfShare =
  'SELECT due FROM thence_retries INDEXED BY thence_retries_share ' +
  `WHERE ${ofShare} ORDER BY due LIMIT 1`
const selectSummary =
  `SELECT subscription, ${counts}, ${nextOf('rows.subscription')} ` +
  'FROM thence_retries AS rows GROUP BY subscription ORDER BY subscription'
const removeAll = 'DELETE FROM thence_retries WHERE subscription = ?'
const handOver = 'UPDATE thence_retries SET subscription = ? WHERE subscription = ?'

type Row = readonly [
  subscription: string,
  key: string,
  hash: number,
  position: number,
  messageId: string,
  state: RetryState,
  attempts: number,
  due: number,
  history: string,
  replay: number,
]
type SummaryRow = readonly [string, number, number, number, number]

const everything: Share = { partition: 0, partitions: 1 }

const decode = (row: Row): Retry => ({
  subscription: row[0],
  key: row[1],
  hash: row[2],
  position: row[3],
  messageId: row[4],
  state: row[5],
  attempts: row[6],
  due: row[7],
  history: JSON.parse(row[8]) as Attempt[],
  ...(row[9] === 1 ? { replay: true } : {}),
})

const summary = ([subscription, due, parked, queued, next]: SummaryRow): RetrySummary => ({
  subscription,
  due,
  parked,
  queued,
  next,
})

/** Of how many partitions the subscription is now. */
const partitionsOf = (connection: Connection, subscription: string): number =>
  connection.get<[number]>(selectPartitions, subscription)![0]

/**
 * Whether all that is due of the subscription is noted for so many partitions. Else it was written before it was divided so,
 * and the rows of a share are sought among all.
 */
const isFound = (connection: Connection, subscription: string, { partitions }: Share): boolean => {
  if (partitions === 1) return false
  const asked = [subscription, partitions, subscription, partitions]
  return connection.get<[number]>(selectOther, ...asked)![0] === 0
}

/** So many rows are noted anew when a subscription is divided; of more than that the others are when they are put again. */
const mostAnew = 100_000

/** Notes for what is due which of so many partitions takes care of it now. */
export function shareAnew(connection: Connection, subscription: string, partitions: number): void {
  connection.run(divideAnew, partitions, partitions, subscription, partitions, mostAnew)
}

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
    const partitions = partitionsOf(connection, subscription)
    connection.run(
      insert,
      subscription,
      key,
      row.hash,
      position,
      row.messageId,
      alone ? 'due' : row.state,
      row.attempts,
      alone ? this.#scope.runtime.now() : row.due,
      JSON.stringify(row.history),
      row.replay === true ? 1 : 0,
      partitions,
      row.hash % partitions,
    )
  }

  take(subscription: string, options: TakeRetries): readonly Retry[] {
    const { now, limit, share = everything } = options
    const { partition, partitions } = share
    const connection = this.#scope.use()
    const rows = isFound(connection, subscription, share)
      ? connection.all<Row>(selectShare, subscription, partitions, partition, now, now, limit)
      : connection.all<Row>(selectDue, subscription, now, partitions, partition, now, limit)
    return rows.map(decode)
  }

  settle(row: Pick<Retry, 'subscription' | 'position' | 'attempts'>, now: number): boolean {
    const connection = this.#scope.change()
    const removed = connection.get<[string]>(remove, row.subscription, row.position, row.attempts)
    if (removed === undefined) return false
    const { subscription } = row
    const partitions = partitionsOf(connection, subscription)
    const changed = [now, partitions, partitions]
    connection.run(release, ...changed, subscription, subscription, removed[0])
    return true
  }

  find(subscription: string, position: number): Retry | undefined {
    const row = this.#scope.use().get<Row>(selectOne, subscription, position)
    return row && decode(row)
  }

  parkedBefore({
    subscription,
    key,
    position,
  }: Pick<Retry, 'subscription' | 'key' | 'position'>): Retry | undefined {
    const row = this.#scope.use().get<Row>(selectParkedBefore, subscription, key, position)
    return row && decode(row)
  }

  waitingAt(positions: readonly number[]): readonly number[] {
    const connection = this.#scope.use()
    return connection.all<[number]>(selectWaiting, JSON.stringify(positions)).map(([at]) => at)
  }

  blocked(subscription: string, keys: readonly string[]): readonly string[] {
    if (keys.length === 0) return []
    const rows = this.#scope.use().all<[string]>(selectBlocked, JSON.stringify(keys), subscription)
    return rows.map((row) => row[0])
  }

  outlook(subscription: string): RetrySummary {
    return summary(
      this.#scope.use().get<SummaryRow>(selectOutlook, subscription, subscription, subscription)!,
    )
  }

  upcoming(subscription: string, share: Share = everything): Upcoming {
    const { partition, partitions } = share
    const connection = this.#scope.use()
    const [any] = connection.get<[number]>(selectAny, subscription)!
    if (any === 0) return { any: false, next: null }
    const next = isFound(connection, subscription, share) ? selectNextOfShare : selectNext
    const row = connection.get<[number]>(next, subscription, partitions, partition)
    return { any: true, next: row?.[0] ?? null }
  }

  summary(): readonly RetrySummary[] {
    return this.#scope.use().all<SummaryRow>(selectSummary).map(summary)
  }

  clear(subscription: string): number {
    return this.#scope.change().run(removeAll, subscription)
  }

  rename(from: string, to: string): number {
    return this.#scope.change().run(handOver, to, from)
  }
}
