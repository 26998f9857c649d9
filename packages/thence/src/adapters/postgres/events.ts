/**
 * The log in PostgreSQL; see ports/events.ts. Either positions are given under a lock that is held to the commit, so that they
 * become visible in their order, or the log is read up to where it is settled; see order.ts.
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
import { matchesAll, typesOnly } from '../sql/query.ts'
import { columns, decodeRow, type EventRow } from '../sql/rows.ts'
import { appendIn } from './append.ts'
import type { PostgresValue } from './driver.ts'
import type { Answering } from './gather.ts'
import { listed } from './page.ts'
import type { Scope } from './scope.ts'
import { beginningsOf, type Start } from './several.ts'
import { infosOf, streamInfos } from './streams.ts'
import { tombstone, trim, truncated } from './trimming.ts'

const most = Number.MAX_SAFE_INTEGER
const lastPosition = 'SELECT thence.last_position()'
const byId = `SELECT ${columns} FROM thence.events WHERE id = $1`
const byCorrelation =
  `SELECT ${columns} FROM thence.events WHERE correlation_id = $1 UNION ALL ` +
  `SELECT ${columns} FROM thence.events WHERE id = $1 AND correlation_id IS NULL ORDER BY position`
const placesAfter =
  'SELECT position, stream, version, type, time FROM thence.events WHERE position > $1 AND position <= $2 ORDER BY position LIMIT $3'

/** What the messages of a query have, besides standing between $1 and $2. */
const matching = (
  options: ReadAll,
): { readonly text: string; readonly values: readonly PostgresValue[] } => {
  const { query, limit } = options
  if (query === undefined || matchesAll(query)) return { text: '', values: [] }
  const types = typesOnly(query)
  if (types !== undefined) return { text: ' AND type = ANY ($3)', values: [types] }
  const name = options.backwards === true ? 'matches_before' : 'matches_after'
  return {
    text: ` AND position IN (SELECT thence.${name}($3::jsonb, $1, coalesce($2::bigint, ${most}), $4::bigint))`,
    values: [JSON.stringify(query), limit],
  }
}

export class PostgresEvents implements Events {
  readonly #scope: Scope
  /** For each pair of bounds, how streams are read together. */
  readonly #reading = new Map<string, Answering<Start, readonly StoredMessage[]>>()

  constructor(scope: Scope) {
    this.#scope = scope
  }

  async append(request: AppendRequest): Promise<Verdict> {
    this.#scope.change()
    return this.#scope.gather.ask(this.#appending, request.stream, request)
  }

  async readStream(stream: string, options: ReadStream): Promise<readonly StoredMessage[]> {
    const { limit, maxBytes, backwards = false } = options
    this.#scope.use()
    if (!backwards) {
      const start = { stream, from: options.from ?? 1 }
      return this.#scope.gather.ask(this.#beginning(limit, maxBytes), stream, start)
    }
    const { rows } = await listed(this.#scope.use(), {
      where: 'stream = $1 AND version <= $2',
      values: [stream, options.from ?? most],
      by: 'version',
      backwards,
      limit,
      maxBytes,
    })
    return rows.map((row) => decodeRow(row, stream))
  }

  async readAll(options: ReadAll): Promise<Page> {
    const { after = 0, limit, maxBytes } = options
    const bound = options.unsettled === true ? undefined : await this.#scope.bound()
    const before = Math.min(options.before ?? most, (bound ?? most - 1) + 1)
    const { text, values } = matching(options)
    const { rows, full, head } = await listed(this.#scope.use(), {
      // Without a bound nothing is said of one: what the server supposes of a range between two it can't tell would make it sort.
      where: `position > $1 AND ($2::bigint IS NULL OR position < $2)${text}`,
      values: [after, before < most ? before : null, ...values],
      by: 'position',
      backwards: options.backwards === true,
      limit,
      maxBytes,
    })
    const messages = rows.map((row) => decodeRow(row, row[12]))
    const through = full ? messages.at(-1)!.position : Math.max(after, Math.min(before - 1, head))
    return { messages, through, more: full }
  }

  async head({ unsettled = false }: { readonly unsettled?: boolean } = {}): Promise<number> {
    const bound = unsettled ? undefined : await this.#scope.bound()
    return bound ?? (await this.#scope.use().get<[number]>(lastPosition))?.[0] ?? 0
  }

  async find(
    by: { readonly id: string } | { readonly correlationId: string },
  ): Promise<readonly StoredMessage[]> {
    const connection = this.#scope.use()
    const rows =
      'id' in by
        ? await connection.all<EventRow>(byId, by.id)
        : await connection.all<EventRow>(byCorrelation, by.correlationId)
    return rows.map((row) => decodeRow(row, row[12]))
  }

  async streams(options: {
    readonly prefix?: string
    readonly after?: string
    readonly limit: number
  }): Promise<readonly StreamInfo[]> {
    return streamInfos(this.#scope.use(), options)
  }

  async stream(name: string): Promise<StreamInfo | undefined> {
    this.#scope.use()
    return this.#scope.gather.ask(this.#infos, name, name)
  }

  async trim(stream: string, options: Trim): Promise<number> {
    return trim(this.#scope, stream, options)
  }

  async tombstone(stream: string): Promise<boolean> {
    return tombstone(this.#scope, stream)
  }

  async truncated(types?: readonly string[]): Promise<number> {
    return truncated(this.#scope.use(), types)
  }

  async places(options: {
    readonly after: number
    readonly limit: number
  }): Promise<readonly Place[]> {
    const { after, limit } = options
    const through = (await this.#scope.bound()) ?? most
    const rows = await this.#scope
      .use()
      .all<[number, string, number, string, number]>(placesAfter, after, through, limit)
    return rows.map(([position, stream, version, type, time]) => ({
      position,
      stream,
      version,
      type,
      time,
    }))
  }

  readonly #appending = async (requests: readonly AppendRequest[]): Promise<readonly Verdict[]> => {
    const scope = this.#scope
    const verdicts = await appendIn(scope, requests)
    for (const verdict of verdicts)
      if (verdict.outcome === 'appended' && verdict.count > 0) scope.appended = verdict.position
    return verdicts
  }

  readonly #infos = (names: readonly string[]): Promise<readonly (StreamInfo | undefined)[]> =>
    infosOf(this.#scope.use(), names)

  #beginning(limit: number, maxBytes = Infinity): Answering<Start, readonly StoredMessage[]> {
    const bounds = `${limit}/${maxBytes}`
    const known = this.#reading.get(bounds)
    if (known !== undefined) return known
    const reading = (starts: readonly Start[]): Promise<readonly (readonly StoredMessage[])[]> =>
      beginningsOf(this.#scope.use(), starts, { limit, maxBytes })
    this.#reading.set(bounds, reading)
    return reading
  }
}
