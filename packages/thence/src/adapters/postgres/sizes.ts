/**
 * Sizes in PostgreSQL; see ports/sizes.ts. The log is counted up to a position that is remembered; what was removed before
 * it is subtracted when it is removed.
 */
import type { CategorySize, SizedTable, Sizes, StoreSize, TableSize } from '../../ports/sizes.ts'
import type { Connection } from './connection.ts'
import type { Scope } from './scope.ts'

const ends = 'SELECT position, thence.last_position() FROM thence.measured'
const setMeasured = 'UPDATE thence.measured SET position = $1'
/** The messages between two positions, by category. */
const count =
  "SELECT split_part(stream, '-', 1) AS category, count(*) AS messages, " +
  'sum(octet_length(data) + coalesce(octet_length(metadata), 0))::bigint AS bytes, ' +
  'count(*) FILTER (WHERE version = 1) AS streams ' +
  'FROM thence.events WHERE position > $1 AND position <= $2 GROUP BY 1'
const add =
  'ON CONFLICT (category) DO UPDATE SET messages = sizes.messages + excluded.messages, ' +
  'bytes = sizes.bytes + excluded.bytes, streams = sizes.streams + excluded.streams, ' +
  'removed = sizes.removed + excluded.removed, truncated = greatest(sizes.truncated, excluded.truncated)'
const into = 'INSERT INTO thence.sizes (category, messages, bytes, streams, removed, truncated)'
const addCounted = `${into} SELECT *, 0, 0 FROM (${count}) AS counted ${add}`
const addOne = `${into} VALUES ($1, $2, $3, $4, $5, $6) ${add}`
const sums =
  'SELECT category, sum(messages)::bigint, sum(bytes)::bigint, sum(streams)::bigint, sum(removed)::bigint, ' +
  'max(truncated) FROM (SELECT * FROM thence.sizes ' +
  `UNION ALL SELECT *, 0, 0 FROM (${count}) AS counted) AS every GROUP BY category ORDER BY category`
const allBytes =
  'SELECT coalesce(sum(pg_total_relation_size(oid)), 0)::bigint FROM pg_class ' +
  "WHERE relnamespace = to_regnamespace('thence') AND relkind IN ('r', 'p')"

const tables: Readonly<Record<SizedTable, string>> = {
  audit: 'audit',
  deadLetters: 'dead_letters',
  documents: 'documents',
  inbox: 'inbox',
  jobs: 'jobs',
  retries: 'retries',
  snapshots: 'snapshots',
  timers: 'timers',
}
const names = Object.keys(tables) as readonly SizedTable[]
const rowsOfTables = `SELECT ${names
  .map((name) => `(SELECT count(*) FROM (SELECT FROM thence.${tables[name]} LIMIT $1) AS one)`)
  .join(', ')}`

/** A message that is removed. */
export interface Gone {
  readonly version: number
  readonly position: number
  readonly bytes: number
}

/** What is counted ends where the log is settled: below that nothing is added any more. */
const bounds = async (scope: Scope): Promise<{ readonly from: number; readonly head: number }> => {
  const bound = await scope.bound()
  const [from = 0, head = 0] = (await scope.use().get<[number, number]>(ends)) ?? []
  return { from, head: bound ?? head }
}

/** Takes removed messages of one category off what was counted of them; those after that were never counted. */
export async function subtract(
  scope: Scope,
  category: string,
  gone: readonly Gone[],
): Promise<void> {
  const { from: to } = await bounds(scope)
  const known = gone.filter(({ position }) => position <= to)
  const begun = gone.filter(({ position, version }) => position > to && version === 1)
  const bytes = known.reduce((sum, one) => sum + one.bytes, 0)
  const truncated = gone.reduce((highest, { position }) => Math.max(highest, position), 0)
  const counts = [-known.length, -bytes, begun.length, gone.length, truncated]
  await scope.change().run(addOne, category, ...counts)
}

export class PostgresSizes implements Sizes {
  readonly #scope: Scope

  constructor(scope: Scope) {
    this.#scope = scope
  }

  async measure(limit: number): Promise<number> {
    const connection = this.#scope.change()
    const { from, head } = await bounds(this.#scope)
    const to = Math.min(head, from + limit)
    if (to <= from) return 0
    await connection.run(addCounted, from, to)
    await connection.run(setMeasured, to)
    return head - to
  }

  async read(most: number): Promise<StoreSize> {
    const connection = this.#scope.use()
    const { from, head } = await bounds(this.#scope)
    const rows = await connection.all<[string, number, number, number, number, number]>(
      sums,
      from,
      head,
    )
    return {
      bytes: (await connection.get<[number]>(allBytes))?.[0] ?? 0,
      categories: rows.map(
        ([category, messages, bytes, streams, removed, truncated]): CategorySize => ({
          category,
          messages,
          bytes,
          streams,
          removed,
          truncated,
        }),
      ),
      tables: await tableSizes(connection, most),
    }
  }
}

const tableSizes = async (connection: Connection, most: number): Promise<StoreSize['tables']> => {
  const counts = (await connection.get<number[]>(rowsOfTables, most + 1)) ?? []
  const sized = names.map((name, index): [SizedTable, TableSize] => {
    const rows = counts[index] ?? 0
    return [name, { rows: Math.min(rows, most), more: rows > most }]
  })
  return Object.fromEntries(sized) as Record<SizedTable, TableSize>
}
