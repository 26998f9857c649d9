/**
 * Retries in PostgreSQL; see ports/retries.ts.
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
import { nowOr } from './clock.ts'
import type { Connection } from './connection.ts'
import type { Scope } from './scope.ts'

const columns =
  'subscription, key, hash, position, message_id, state, attempts, due, history, replay'
/** Of how many partitions the subscription $1 is now. */
const partitionsNow =
  '(SELECT coalesce(max(partition), 0) + 1 FROM thence.checkpoints WHERE subscription = $1)'
/** Nothing may wait behind nothing. */
const alone =
  "$6 = 'queued' AND NOT EXISTS (SELECT FROM thence.retries WHERE subscription = $1 AND key = $2 AND position < $4)"
const insert =
  `INSERT INTO thence.retries (${columns}, partitions, partition) ` +
  "SELECT $1, $2, $3::bigint, $4, $5, CASE WHEN alone THEN 'due' ELSE $6 END, $7, " +
  `CASE WHEN alone THEN ${nowOr('$11')} ELSE $8 END, $9, $10, partitions, $3::bigint % partitions ` +
  `FROM (SELECT ${alone} AS alone, ${partitionsNow} AS partitions) AS judged ` +
  'ON CONFLICT (subscription, position) DO UPDATE SET key = excluded.key, hash = excluded.hash, ' +
  'partitions = excluded.partitions, partition = excluded.partition, ' +
  'replay = excluded.replay, message_id = excluded.message_id, ' +
  'state = excluded.state, attempts = excluded.attempts, due = excluded.due, history = excluded.history'
/**
 * What is due of one share: noted for so many partitions, and by an index; or noted for fewer or more of them, since it was written before
 * the subscription was divided so.
 */
const shares = [
  'partitions = $2::integer AND partition = $3::integer',
  'partitions < $2::integer AND hash % $2::integer = $3::integer',
  'partitions > $2::integer AND hash % $2::integer = $3::integer',
].map(
  (noted) => `FROM thence.retries AS own WHERE subscription = $1 AND state = 'due' AND ${noted}`,
)
const first =
  'NOT EXISTS (SELECT FROM thence.retries AS earlier WHERE earlier.subscription = own.subscription ' +
  "AND earlier.key = own.key AND earlier.position < own.position AND earlier.state = 'due' AND earlier.due <= $4)"
const selectDue = `${shares
  .map(
    (share) =>
      `(SELECT ${columns} ${share} AND due <= $4 AND ${first} ORDER BY due, position LIMIT $5)`,
  )
  .join(' UNION ALL ')} ORDER BY due, position LIMIT $5`
const selectNext = `SELECT min(due) FROM (${shares
  .map((share) => `(SELECT due ${share} ORDER BY due LIMIT 1)`)
  .join(' UNION ALL ')}) AS next`
const divideAnew =
  'UPDATE thence.retries SET partitions = $2::integer, partition = hash % $2::integer WHERE ctid = ANY (ARRAY(' +
  "SELECT ctid FROM thence.retries WHERE subscription = $1 AND state = 'due' AND partitions <> $2::integer LIMIT $3))"
/** The first that is left of the key is the next one; the one that is removed is still seen beside its removal. */
const settle =
  'WITH gone AS (DELETE FROM thence.retries WHERE subscription = $1 AND position = $2 AND attempts = $3 RETURNING key), ' +
  "released AS (UPDATE thence.retries SET state = 'due', due = $4, partitions = divided.now, " +
  `partition = hash % divided.now FROM (SELECT ${partitionsNow} AS now) AS divided ` +
  "WHERE subscription = $1 AND state = 'queued' " +
  'AND position = (SELECT min(r.position) FROM thence.retries AS r, gone ' +
  'WHERE r.subscription = $1 AND r.key = gone.key AND r.position <> $2)) SELECT FROM gone'
const selectOne = `SELECT ${columns} FROM thence.retries WHERE subscription = $1 AND position = $2`
const selectParkedBefore =
  `SELECT ${columns} FROM thence.retries WHERE subscription = $1 AND key = $2 AND state = 'parked' ` +
  'AND position < $3 ORDER BY position LIMIT 1'
const selectBlocked =
  'SELECT key FROM unnest($2::text[]) WITH ORDINALITY AS asked (key, place) WHERE EXISTS (' +
  'SELECT FROM thence.retries AS r WHERE r.subscription = $1 AND r.key = asked.key) ORDER BY place'
const selectWaiting =
  'SELECT DISTINCT position FROM thence.retries WHERE position = ANY ($1::bigint[]) ORDER BY position'
const counts =
  "count(*) FILTER (WHERE state = 'due'), count(*) FILTER (WHERE state = 'parked'), " +
  "count(*) FILTER (WHERE state = 'queued'), coalesce(min(due) FILTER (WHERE state = 'due'), 0)"
const selectOutlook = `SELECT $1, ${counts} FROM thence.retries WHERE subscription = $1`
const selectSummary = `SELECT subscription, ${counts} FROM thence.retries GROUP BY subscription ORDER BY subscription`
const selectAny = 'SELECT EXISTS (SELECT FROM thence.retries WHERE subscription = $1)'
const removeAll = 'DELETE FROM thence.retries WHERE subscription = $1'
const handOver = 'UPDATE thence.retries SET subscription = $2 WHERE subscription = $1'

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
  replay: boolean,
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
  ...(row[9] ? { replay: true } : {}),
})

const summary = ([subscription, due, parked, queued, next]: SummaryRow): RetrySummary => ({
  subscription,
  due,
  parked,
  queued,
  next,
})

/** So many rows are noted anew when a subscription is divided; of more than that the others are when they are put again. */
const mostAnew = 100_000

/** Notes for what is due which of so many partitions takes care of it now. */
export async function shareAnew(
  connection: Connection,
  subscription: string,
  partitions: number,
): Promise<void> {
  await connection.run(divideAnew, subscription, partitions, mostAnew)
}

export class PostgresRetries implements Retries {
  readonly #scope: Scope

  constructor(scope: Scope) {
    this.#scope = scope
  }

  async put(row: Retry): Promise<void> {
    await this.#scope
      .change()
      .run(
        insert,
        row.subscription,
        row.key,
        row.hash,
        row.position,
        row.messageId,
        row.state,
        row.attempts,
        row.due,
        JSON.stringify(row.history),
        row.replay === true,
        this.#scope.time,
      )
  }

  async take(subscription: string, options: TakeRetries): Promise<readonly Retry[]> {
    const { now, limit, share = everything } = options
    const values = [subscription, share.partitions, share.partition, now, limit]
    return (await this.#scope.use().all<Row>(selectDue, ...values)).map(decode)
  }

  async settle(
    row: Pick<Retry, 'subscription' | 'position' | 'attempts'>,
    now: number,
  ): Promise<boolean> {
    const { subscription, position, attempts } = row
    const connection = this.#scope.change()
    return (await connection.run(settle, subscription, position, attempts, now)) === 1
  }

  async find(subscription: string, position: number): Promise<Retry | undefined> {
    const row = await this.#scope.use().get<Row>(selectOne, subscription, position)
    return row && decode(row)
  }

  async parkedBefore({
    subscription,
    key,
    position,
  }: Pick<Retry, 'subscription' | 'key' | 'position'>): Promise<Retry | undefined> {
    const connection = this.#scope.use()
    const row = await connection.get<Row>(selectParkedBefore, subscription, key, position)
    return row && decode(row)
  }

  async waitingAt(positions: readonly number[]): Promise<readonly number[]> {
    const rows = await this.#scope.use().all<[number]>(selectWaiting, positions)
    return rows.map(([at]) => at)
  }

  async blocked(subscription: string, keys: readonly string[]): Promise<readonly string[]> {
    if (keys.length === 0) return []
    const rows = await this.#scope.use().all<[string]>(selectBlocked, subscription, keys)
    return rows.map(([key]) => key)
  }

  async outlook(subscription: string): Promise<RetrySummary> {
    return summary((await this.#scope.use().get<SummaryRow>(selectOutlook, subscription))!)
  }

  async upcoming(subscription: string, share: Share = everything): Promise<Upcoming> {
    const connection = this.#scope.use()
    const [any] = (await connection.get<[boolean]>(selectAny, subscription))!
    if (!any) return { any: false, next: null }
    const values = [subscription, share.partitions, share.partition]
    const row = await connection.get<[number | null]>(selectNext, ...values)
    return { any: true, next: row?.[0] ?? null }
  }

  async summary(): Promise<readonly RetrySummary[]> {
    return (await this.#scope.use().all<SummaryRow>(selectSummary)).map(summary)
  }

  async clear(subscription: string): Promise<number> {
    return this.#scope.change().run(removeAll, subscription)
  }

  async rename(from: string, to: string): Promise<number> {
    return this.#scope.change().run(handOver, from, to)
  }
}
