/**
 * The log in SQLite; see ports/events.ts. Positions are given by the adapter: the head plus one, inside the write
 * lock, so they are contiguous and grow in commit order.
 */
import type {
  AppendRequest,
  Events,
  Page,
  Place,
  ReadAll,
  ReadStream,
  StoredMessage,
  StreamInfo,
  Trim,
  Verdict,
} from '../../ports/events.ts'
import { Room } from '../../internal/room.ts'
import { Appender, lastPosition } from './append.ts'
import { listed, listing } from './listing.ts'
import { pageOf } from './page.ts'
import { keyRange } from '../sql/range.ts'
import { columns, columnsOfStream, decodeRow, type EventRow, sizeOf } from '../sql/rows.ts'
import type { Scope } from './scope.ts'
import { streamInfo, streamState } from './streams.ts'
import { tombstone, trim, truncated } from './trimming.ts'

const streamForwards = listing(columnsOfStream, 'stream = ? AND version >= ? ORDER BY version')
const streamBackwards = listing(
  columnsOfStream,
  'stream = ? AND version <= ? ORDER BY version DESC',
)
const atVersion = `SELECT ${columnsOfStream} FROM thence_events WHERE stream = ? AND version = ?`
const byId = `SELECT ${columns} FROM thence_events WHERE id = ?`
const byCorrelation =
  `SELECT ${columns} FROM thence_events WHERE position IN (` +
  'SELECT position FROM thence_events WHERE id = ? AND correlation_id IS NULL ' +
  'UNION ALL SELECT position FROM thence_events WHERE correlation_id = ?) ORDER BY position'
const nextStream =
  'SELECT min(stream) FROM (SELECT min(stream) AS stream FROM thence_events WHERE stream >= ? ' +
  'UNION ALL SELECT min(stream) FROM thence_trimmed WHERE stream >= ?)'
const placesAfter =
  'SELECT position, stream, version, type, time FROM thence_events WHERE position > ? ORDER BY position LIMIT ?'

/** Fetching so few rows one by one is quicker than beginning to read a list. */
const fewVersions = 3

export class SqliteEvents implements Events {
  readonly #scope: Scope
  #appender: Appender | undefined

  constructor(scope: Scope) {
    this.#scope = scope
  }

  append(request: AppendRequest): Verdict {
    const connection = this.#scope.change()
    return (this.#appender ??= new Appender(connection, this.#scope)).append(request)
  }

  readStream(stream: string, options: ReadStream): readonly StoredMessage[] {
    const connection = this.#scope.use()
    const backwards = options.backwards === true
    const from = options.from ?? (backwards ? Number.MAX_SAFE_INTEGER : 1)
    const room = new Room(options.limit, options.maxBytes)
    const text = backwards ? streamBackwards : streamForwards
    const few = backwards ? undefined : this.#few(stream, Math.max(from, 1), options.limit)
    const rows =
      few?.filter((row) => room.take(sizeOf(row))) ??
      listed(connection, text, { room, of: [stream, from] })
    return rows.map((row) => decodeRow(row, stream))
  }

  /** None or few versions from `from` on, one by one; undefined if there are more, or if one was removed. */
  #few(stream: string, from: number, limit: number): EventRow[] | undefined {
    const connection = this.#scope.use()
    const to = Math.min(this.#version(stream), from + limit - 1)
    if (to - from >= fewVersions) return undefined
    const rows: EventRow[] = []
    for (let version = from; version <= to; version += 1) {
      const row = connection.get<EventRow>(atVersion, stream, version)
      if (row === undefined) return undefined
      rows.push(row)
    }
    return rows
  }

  #version(stream: string): number {
    const { tail, writes } = this.#scope
    // Outside of the write lock, what is remembered may be behind another connection's writes.
    const known = writes ? tail.version(stream) : undefined
    if (known !== undefined) return known
    const { version, tombstone: ended } = streamState(this.#scope.use(), stream)
    if (writes && !ended) tail.remember(stream, version)
    return version
  }

  readAll(options: ReadAll): Page {
    const connection = this.#scope.use()
    const after = options.after ?? 0
    const before = Math.min(options.before ?? Number.MAX_SAFE_INTEGER, this.head() + 1)
    const through = Math.max(after, before - 1)
    if (after >= before - 1) return { messages: [], through, more: false }
    const room = new Room(options.limit, options.maxBytes)
    const rows = pageOf(connection, options, { after, before, room })
    const messages = rows.map((row) => decodeRow(row, row[12]))
    return { messages, through: room.full ? messages.at(-1)!.position : through, more: room.full }
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
      const stream = connection.get<[string | null]>(nextStream, from, from)?.[0] ?? undefined
      if (stream === undefined || !stream.startsWith(prefix)) break
      found.push(streamInfo(connection, stream)!)
      from = `${stream}\0`
    }
    return found
  }

  stream(name: string): StreamInfo | undefined {
    const { tail, writes } = this.#scope
    const connection = this.#scope.use()
    // Who begins a stream asks for what was just found not to be there.
    return writes && tail.version(name) === 0 ? undefined : streamInfo(connection, name)
  }

  trim(stream: string, options: Trim): number {
    return trim(this.#scope.change(), stream, options)
  }

  tombstone(stream: string): boolean {
    const ended = tombstone(this.#scope.change(), stream)
    // A remembered version stands for a stream that can be appended to.
    if (ended) this.#scope.tail.forget()
    return ended
  }

  truncated(types?: readonly string[]): number {
    return truncated(this.#scope.use(), types)
  }

  places({ after, limit }: { readonly after: number; readonly limit: number }): readonly Place[] {
    const connection = this.#scope.use()
    const rows = connection.all<[number, string, number, string, number]>(placesAfter, after, limit)
    return rows.map(([position, stream, version, type, time]) => ({
      position,
      stream,
      version,
      type,
      time,
    }))
  }
}
