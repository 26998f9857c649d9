/**
 * Sizes in SQLite; see ports/sizes.ts. The log is counted up to a position that is remembered; what was removed before
 * it is subtracted when it is removed.
 */
import type { CategorySize, SizedTable, Sizes, StoreSize, TableSize } from '../../ports/sizes.ts'
import type { Connection } from './connection.ts'
import { lastPosition } from './append.ts'
import type { Scope } from './scope.ts'

const measured = 'SELECT position FROM thence_measured'
const setMeasured = 'UPDATE thence_measured SET position = ?'
const counted = 'SELECT category, messages, bytes, streams, removed, truncated FROM thence_sizes'
const count =
  "SELECT substr(stream, 1, instr(stream || '-', '-') - 1), count(*), " +
  'sum(octet_length(data) + coalesce(octet_length(metadata), 0)), sum(version = 1) ' +
  'FROM thence_events WHERE position > ? AND position <= ? GROUP BY 1'
const add =
  'INSERT INTO thence_sizes (category, messages, bytes, streams, removed, truncated) VALUES (?, ?, ?, ?, ?, ?) ' +
  'ON CONFLICT (category) DO UPDATE SET messages = messages + excluded.messages, bytes = bytes + excluded.bytes, ' +
  'streams = streams + excluded.streams, removed = removed + excluded.removed, ' +
  'truncated = max(truncated, excluded.truncated)'
const fileSize =
  'SELECT (SELECT page_count FROM pragma_page_count) * (SELECT page_size FROM pragma_page_size)'
const rowsOf = (table: string): string => `SELECT count(*) FROM (SELECT 1 FROM ${table} LIMIT ?)`

const tables: Readonly<Record<SizedTable, string>> = {
  audit: rowsOf('thence_audit'),
  deadLetters: rowsOf('thence_dead_letters'),
  documents: rowsOf('thence_documents'),
  inbox: rowsOf('thence_inbox'),
  jobs: rowsOf('thence_jobs'),
  retries: rowsOf('thence_retries'),
  snapshots: rowsOf('thence_snapshots'),
  timers: rowsOf('thence_timers'),
}

type Counts = readonly [category: string, messages: number, bytes: number, streams: number]

/** A message that is removed. */
export interface Gone {
  readonly version: number
  readonly position: number
  readonly bytes: number
}

/** Takes removed messages of one category off what was counted of them; those after that were never counted. */
export function subtract(connection: Connection, category: string, gone: readonly Gone[]): void {
  const to = connection.get<[number]>(measured)?.[0] ?? 0
  const known = gone.filter(({ position }) => position <= to)
  const begun = gone.filter(({ position, version }) => position > to && version === 1)
  const bytes = known.reduce((sum, one) => sum + one.bytes, 0)
  const truncated = gone.reduce((highest, { position }) => Math.max(highest, position), 0)
  connection.run(add, category, -known.length, -bytes, begun.length, gone.length, truncated)
}

export class SqliteSizes implements Sizes {
  readonly #scope: Scope

  constructor(scope: Scope) {
    this.#scope = scope
  }

  measure(limit: number): number {
    const connection = this.#scope.change()
    const { from, head } = ends(connection)
    const to = Math.min(head, from + limit)
    if (to <= from) return 0
    for (const counts of connection.all<Counts>(count, from, to))
      connection.run(add, ...counts, 0, 0)
    connection.run(setMeasured, to)
    return head - to
  }

  read(most: number): StoreSize {
    const connection = this.#scope.use()
    return {
      bytes: connection.get<[number]>(fileSize)?.[0] ?? 0,
      categories: categorySizes(connection),
      tables: tableSizes(connection, most),
    }
  }
}

/** What was counted before, and what came after it. */
const categorySizes = (connection: Connection): readonly CategorySize[] => {
  const { from, head } = ends(connection)
  const sizes = new Map<string, CategorySize>()
  for (const row of connection.all<[...Counts, number, number]>(counted)) {
    const [category, messages, bytes, streams, removed, truncated] = row
    sizes.set(category, { category, messages, bytes, streams, removed, truncated })
  }
  for (const [category, messages, bytes, streams] of connection.all<Counts>(count, from, head)) {
    const before = sizes.get(category) ?? nothing(category)
    sizes.set(category, {
      ...before,
      messages: before.messages + messages,
      bytes: before.bytes + bytes,
      streams: before.streams + streams,
    })
  }
  return [...sizes.values()].sort(byName)
}

const nothing = (category: string): CategorySize => ({
  category,
  messages: 0,
  bytes: 0,
  streams: 0,
  removed: 0,
  truncated: 0,
})

const byName = (left: CategorySize, right: CategorySize): number =>
  Buffer.compare(Buffer.from(left.category), Buffer.from(right.category))

const ends = (connection: Connection): { readonly from: number; readonly head: number } => ({
  from: connection.get<[number]>(measured)?.[0] ?? 0,
  head: connection.get<[number]>(lastPosition)?.[0] ?? 0,
})

const tableSizes = (connection: Connection, most: number): StoreSize['tables'] => {
  const size = (table: SizedTable): TableSize => {
    const rows = connection.get<[number]>(tables[table], most + 1)?.[0] ?? 0
    return { rows: Math.min(rows, most), more: rows > most }
  }
  return {
    audit: size('audit'),
    deadLetters: size('deadLetters'),
    documents: size('documents'),
    inbox: size('inbox'),
    jobs: size('jobs'),
    retries: size('retries'),
    snapshots: size('snapshots'),
    timers: size('timers'),
  }
}
