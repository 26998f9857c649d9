/**
 * The log in SQLite; see ports/events.ts. Positions are given by the adapter: the head plus one, inside the write
 * lock, so they are contiguous and grow in commit order.
 */
import type {
  AppendRequest,
  Events,
  Page,
  ReadAll,
  ReadStream,
  StoredMessage,
  StreamInfo,
  Verdict,
} from '../../ports/events.ts'
import { Appender, lastPosition, lastVersion } from './append.ts'
import type { Connection } from './connection.ts'
import { matchesAll, positions, typesOnly } from './query.ts'
import { keyRange } from './range.ts'
import { columns, columnsOfStream, decodeRow, type EventRow } from './rows.ts'
import type { Scope } from './scope.ts'

const streamForwards =
  `SELECT ${columnsOfStream} FROM thence_events WHERE stream = ? AND version >= ? ` +
  'ORDER BY version LIMIT ?'
const streamBackwards =
  `SELECT ${columnsOfStream} FROM thence_events WHERE stream = ? AND version <= ? ` +
  'ORDER BY version DESC LIMIT ?'
const allForwards = `SELECT ${columns} FROM thence_events WHERE position > ? AND position < ? ORDER BY position LIMIT ?`
const allBackwards =
  `SELECT ${columns} FROM thence_events WHERE position > ? AND position < ? ` +
  'ORDER BY position DESC LIMIT ?'
// The plus keeps SQLite on the range of positions instead of the index by type.
const typesForwards = (list: string): string =>
  `SELECT ${columns} FROM thence_events WHERE position > ? AND position < ? ` +
  `AND +type IN (${list}) ORDER BY position LIMIT ?`
/** A list of types that is spelled out is quicker than one that is unpacked; each length is a text of its own. */
const spelledOut: readonly string[] = Array.from({ length: 33 }, (_, count) =>
  typesForwards(Array.from({ length: count }, () => '?').join(', ')),
)
const unpacked = typesForwards('SELECT value FROM json_each(?)')
const atVersion = `SELECT ${columnsOfStream} FROM thence_events WHERE stream = ? AND version = ?`
const atPosition = `SELECT ${columns} FROM thence_events WHERE position = ?`
const byId = `SELECT ${columns} FROM thence_events WHERE id = ?`
const byCorrelation =
  `SELECT ${columns} FROM thence_events WHERE position IN (` +
  'SELECT position FROM thence_events WHERE id = ? AND correlation_id IS NULL ' +
  'UNION ALL SELECT position FROM thence_events WHERE correlation_id = ?) ORDER BY position'
const nextStream = 'SELECT min(stream) FROM thence_events WHERE stream >= ?'
const lastOfStream =
  'SELECT version, position, time FROM thence_events WHERE stream = ? ORDER BY version DESC LIMIT 1'

/** Fetching so few rows one by one is quicker than beginning to read a list. */
const fewVersions = 3
const fewPositions = 8

/** So many rows are looked at per wanted one before a read by types turns from the log itself to the index. */
const densityWindow = 4

export class SqliteEvents implements Events {
  readonly #scope: Scope
  #appender: Appender | undefined

  constructor(scope: Scope) {
    this.#scope = scope
  }

  append(request: AppendRequest): Verdict {
    const connection = this.#scope.change()
    return (this.#appender ??= new Appender(connection, this.#scope.tail)).append(request)
  }

  readStream(stream: string, options: ReadStream): readonly StoredMessage[] {
    const connection = this.#scope.use()
    const backwards = options.backwards === true
    const from = options.from ?? (backwards ? Number.MAX_SAFE_INTEGER : 1)
    const few = backwards ? undefined : this.#few(stream, Math.max(from, 1), options.limit)
    const rows =
      few ??
      connection.all<EventRow>(
        backwards ? streamBackwards : streamForwards,
        stream,
        from,
        options.limit,
      )
    return rows.map((row) => decodeRow(row, stream))
  }

  /** None or few versions from `from` on, one by one; undefined if there are more. */
  #few(stream: string, from: number, limit: number): EventRow[] | undefined {
    const connection = this.#scope.use()
    const to = Math.min(this.#version(stream), from + limit - 1)
    if (to - from >= fewVersions) return undefined
    const rows: EventRow[] = []
    for (let version = from; version <= to; version += 1) {
      const row = connection.get<EventRow>(atVersion, stream, version)
      if (row !== undefined) rows.push(row)
    }
    return rows
  }

  #version(stream: string): number {
    const { tail, writes } = this.#scope
    // Outside of the write lock, what is remembered may be behind another connection's writes.
    const known = writes ? tail.version(stream) : undefined
    return known ?? this.#scope.use().get<[number | null]>(lastVersion, stream)?.[0] ?? 0
  }

  readAll(options: ReadAll): Page {
    const connection = this.#scope.use()
    const after = options.after ?? 0
    const before = Math.min(options.before ?? Number.MAX_SAFE_INTEGER, this.head() + 1)
    const through = Math.max(after, before - 1)
    if (after >= before - 1) return { messages: [], through }
    const rows = matching(connection, options, { after, before })
    const messages = rows.map((row) => decodeRow(row, row[12]))
    if (messages.length >= options.limit) return { messages, through: messages.at(-1)!.position }
    return { messages, through }
  }

  head(): number {
    return this.#scope.use().get<[number]>(lastPosition)?.[0] ?? 0
  }

  find(by: { readonly id: string } | { readonly correlationId: string }): readonly StoredMessage[] {
    const connection = this.#scope.use()
    const rows =
      'id' in by
        ? connection.all<EventRow>(byId, by.id)
        : connection.all<EventRow>(byCorrelation, by.correlationId, by.correlationId)
    return rows.map((row) => decodeRow(row, row[12]))
  }

  streams(options: {
    readonly prefix?: string
    readonly after?: string
    readonly limit: number
  }): readonly StreamInfo[] {
    const connection = this.#scope.use()
    const prefix = options.prefix ?? ''
    const found: StreamInfo[] = []
    let from = keyRange(prefix, options.after).from
    // From stream to stream by the index: a long stream costs no more than a short one.
    while (found.length < options.limit) {
      const stream = connection.get<[string | null]>(nextStream, from)?.[0] ?? undefined
      if (stream === undefined || !stream.startsWith(prefix)) break
      const [version, position, time] = connection.get<[number, number, number]>(
        lastOfStream,
        stream,
      )!
      found.push({ stream, version, position, time })
      from = `${stream}\0`
    }
    return found
  }
}

interface Bounds {
  readonly after: number
  readonly before: number
}

const matching = (connection: Connection, options: ReadAll, bounds: Bounds): EventRow[] => {
  const { query, limit } = options
  const { after, before } = bounds
  const backwards = options.backwards === true
  if (query === undefined || matchesAll(query))
    return connection.all<EventRow>(backwards ? allBackwards : allForwards, after, before, limit)
  if (backwards) {
    const range = { direction: 'backwards', from: before - 1, to: after + 1, limit } as const
    return at(connection, positions(connection, query, range))
  }
  const types = typesOnly(query)
  if (types !== undefined && before - 1 - after <= fewPositions)
    return short(connection, types, bounds).slice(0, limit)
  const dense =
    types === undefined ? nothing(after) : denseTypes(connection, types, { ...bounds, limit })
  if (dense.rows.length >= limit || dense.through >= before - 1) return dense.rows
  const range = { from: dense.through + 1, to: before - 1, limit: limit - dense.rows.length }
  const rest = positions(connection, query, { direction: 'forwards', ...range })
  return [...dense.rows, ...at(connection, rest)]
}

const at = (connection: Connection, found: readonly number[]): EventRow[] =>
  found.map((position) => connection.get<EventRow>(atPosition, position)!)

/** The few rows at the end of the log, one by one. */
const short = (connection: Connection, types: readonly string[], bounds: Bounds): EventRow[] => {
  const rows: EventRow[] = []
  for (let position = bounds.after + 1; position < bounds.before; position += 1) {
    const row = connection.get<EventRow>(atPosition, position)
    if (row !== undefined && types.includes(row[3])) rows.push(row)
  }
  return rows
}

const nothing = (after: number): { rows: EventRow[]; through: number } => ({
  rows: [],
  through: after,
})

/** Most followers ask for types that are common: a short stretch of the log itself then fills the page. */
const denseTypes = (
  connection: Connection,
  types: readonly string[],
  bounds: Bounds & { readonly limit: number },
): { rows: EventRow[]; through: number } => {
  const end = Math.min(bounds.before, bounds.after + bounds.limit * densityWindow + 1)
  const text = spelledOut[types.length]
  const rows =
    text === undefined
      ? connection.all<EventRow>(unpacked, bounds.after, end, JSON.stringify(types), bounds.limit)
      : connection.all<EventRow>(text, bounds.after, end, ...types, bounds.limit)
  return { rows, through: end - 1 }
}
