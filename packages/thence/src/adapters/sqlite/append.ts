/**
 * Judges one append request and writes it, inside an open write transaction. It inserts first and asks afterwards:
 * only a refused row or an unmet expectation costs the look-up of ids.
 */
import { ThenceError } from '../../errors.ts'
import { isSameMessage } from '../../message/same.ts'
import type {
  AppendCondition,
  AppendRequest,
  Appended,
  Expected,
  NewMessage,
  Once,
  Verdict,
} from '../../ports/events.ts'
import type { Runtime } from '../../ports/runtime.ts'
import type { Connection } from './connection.ts'
import { isUniqueViolation } from './errors.ts'
import { recall, remember } from './inbox.ts'
import { matchesAll } from '../sql/query.ts'
import { positions } from './query.ts'
import { encodeTags } from '../sql/rows.ts'
import type { Session } from './scope.ts'
import { streamState } from './streams.ts'
import type { Tail } from './tail.ts'

const insertEvent =
  'INSERT INTO thence_events (position, stream, version, kind, type, schema_version, id, correlation_id, ' +
  'causation_id, time, tags, metadata, data) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)'
const insertTag = 'INSERT OR IGNORE INTO thence_tags (tag, position) VALUES (?, ?)'
const byId =
  'SELECT stream, version, position, type, schema_version, data FROM thence_events WHERE id = ?'
/** A deleted end of the log leaves its last position behind (see the trigger), so that none is given twice. */
export const lastPosition: string =
  'SELECT max(coalesce((SELECT max(position) FROM thence_events), 0), position) FROM thence_head'
const keptPosition = 'SELECT position FROM thence_head'
const keepPosition = 'UPDATE thence_head SET position = ?'
const removeFrom = 'DELETE FROM thence_events WHERE position > ?'

type Place = readonly [
  stream: string,
  version: number,
  position: number,
  type: string,
  schemaVersion: number,
  data: string,
]

/** What the store knows about the ids of a request. */
type Known =
  | { readonly kind: 'none' }
  | { readonly kind: 'same'; readonly version: number; readonly position: number }
  | { readonly kind: 'other'; readonly id: string }

/** Writes the requests of one transaction. */
export class Appender {
  readonly #connection: Connection
  readonly #tail: Tail
  readonly #runtime: Pick<Runtime, 'now'>

  constructor(connection: Connection, { tail, runtime }: Pick<Session, 'tail' | 'runtime'>) {
    this.#connection = connection
    this.#tail = tail
    this.#runtime = runtime
  }

  append(request: AppendRequest): Verdict {
    const { stream, messages, once } = request
    if (once !== undefined) {
      const outcome = recall(this.#connection, once)
      if (outcome !== undefined) return { outcome: 'duplicate', ...outcome }
    }
    const version = this.#version(stream)
    if (version === undefined) return this.#duplicate(request) ?? { outcome: 'tombstoned' }
    if (!meets(request.expected, version))
      return this.#duplicate(request) ?? { outcome: 'conflict', actual: version }
    const match = this.#match(request.condition)
    if (match !== undefined)
      return this.#duplicate(request) ?? { outcome: 'condition-failed', position: match }
    const head = this.head()
    if (messages.length > 0 && !this.#insert(request, version, head)) return this.#refused(request)
    const count = messages.length
    const place: Appended = { stream, version: version + count, position: head + count, count }
    if (once !== undefined) this.#remember(once, place)
    return { outcome: 'appended', ...place }
  }

  #remember(once: Once, place: Appended): void {
    const row = { ...place, time: this.#runtime.now() }
    const { digest } = once
    remember(this.#connection, once, digest === undefined ? row : { ...row, digest })
  }

  /** The last position that was given. */
  head(): number {
    return (this.#tail.head ??= this.#connection.get<[number]>(lastPosition)?.[0] ?? 0)
  }

  /** Undefined for a tombstone. */
  #version(stream: string): number | undefined {
    const known = this.#tail.version(stream)
    if (known !== undefined) return known
    const { version, tombstone } = streamState(this.#connection, stream)
    if (tombstone) return undefined
    this.#tail.remember(stream, version)
    return version
  }

  /** Writes all messages, or none and returns false if an id is taken. */
  #insert(request: AppendRequest, version: number, head: number): boolean {
    const { stream, messages } = request
    for (let index = 0; index < messages.length; index += 1) {
      const place = { stream, version: version + index + 1, position: head + index + 1 }
      if (this.#insertOne(messages[index]!, place)) continue
      if (index > 0) this.#takeBack(head)
      return false
    }
    for (let index = 0; index < messages.length; index += 1)
      for (const tag of messages[index]!.tags)
        this.#connection.run(insertTag, tag, head + index + 1)
    this.#tail.remember(stream, version + messages.length)
    this.#tail.head = head + messages.length
    return true
  }

  #insertOne(
    message: NewMessage,
    place: { readonly stream: string; readonly version: number; readonly position: number },
  ): boolean {
    try {
      this.#connection
        .statement(insertEvent)
        .run(
          place.position,
          place.stream,
          place.version,
          message.kind,
          message.type,
          message.schemaVersion,
          message.id,
          message.correlationId,
          message.causationId,
          message.time,
          encodeTags(message.tags),
          message.metadata,
          message.data,
        )
      return true
    } catch (error) {
      if (isUniqueViolation(error)) return false
      throw this.#connection.failed(error)
    }
  }

  /** Removes what a refused request wrote, as if it had never been: its positions were not given. */
  #takeBack(head: number): void {
    const kept = this.#connection.get<[number]>(keptPosition)?.[0] ?? 0
    this.#connection.run(removeFrom, head)
    this.#connection.run(keepPosition, kept)
  }

  #match(condition: AppendCondition | undefined): number | undefined {
    if (condition === undefined) return undefined
    const { query, after } = condition
    // Everything matches: what stands at the head does, if anything is there at all.
    return positions(this.#connection, matchesAll(query) ? [{}] : query, {
      direction: 'forwards',
      from: after + 1,
      to: Number.MAX_SAFE_INTEGER,
      limit: 1,
    })[0]
  }

  #duplicate(request: AppendRequest): Verdict | undefined {
    const known = this.#known(request)
    return known.kind === 'same' ? duplicate(request, known) : undefined
  }

  /** A row was refused: because of an id, or because the log is not what we take it for. */
  #refused(request: AppendRequest): Verdict {
    const known = this.#known(request)
    if (known.kind === 'same') return duplicate(request, known)
    if (known.kind === 'other') return { outcome: 'id-reused', id: known.id }
    this.#tail.forget()
    throw new ThenceError(
      'STORE_CORRUPT',
      `The log refused the next version of stream ${request.stream}, which should be free. Check the file.`,
      { details: { stream: request.stream } },
    )
  }

  #known({ stream, messages }: AppendRequest): Known {
    const rows = messages.map(({ id }) => this.#connection.get<Place>(byId, id))
    const isSame = (message: NewMessage, row: Place | undefined): boolean => {
      if (row?.[0] !== stream) return false
      const [, , , type, schemaVersion, data] = row
      return isSameMessage(message, { type, schemaVersion, data })
    }
    if (messages.length > 0 && messages.every((message, index) => isSame(message, rows[index])))
      return same(rows)
    const ids = new Set<string>()
    const taken = messages.find((message, index) => {
      const repeated = ids.has(message.id)
      ids.add(message.id)
      return repeated || (rows[index] !== undefined && !isSame(message, rows[index]))
    })
    const id = taken?.id ?? messages.find((_, index) => rows[index] !== undefined)?.id
    return id === undefined ? { kind: 'none' } : { kind: 'other', id }
  }
}

const same = (rows: readonly (Place | undefined)[]): Known => {
  let last: Place | undefined
  for (const row of rows) if (row && (last === undefined || row[2] > last[2])) last = row
  return last ? { kind: 'same', version: last[1], position: last[2] } : { kind: 'none' }
}

const meets = (expected: Expected | undefined, version: number): boolean => {
  if (expected === undefined) return true
  if (expected === 'none') return version === 0
  return expected === 'exists' ? version > 0 : version === expected
}

const duplicate = (
  request: AppendRequest,
  place: { readonly version: number; readonly position: number },
): Verdict => ({
  outcome: 'duplicate',
  stream: request.stream,
  version: place.version,
  position: place.position,
  count: request.messages.length,
})
